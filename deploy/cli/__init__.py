"""The command `motcua`."""
