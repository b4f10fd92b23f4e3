"""What a call centre says: three doors, one way in."""
