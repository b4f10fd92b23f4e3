"""What `motcua erase` does: it follows an erasure through the services, and proves it by reading the topic."""
