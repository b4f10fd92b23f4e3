"""What the notification service decides, without I/O and without a clock."""
