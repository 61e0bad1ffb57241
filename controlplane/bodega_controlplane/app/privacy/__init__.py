"""What is personal, and when it is kept no more."""
