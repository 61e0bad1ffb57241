"""The count flow: what is due and what a line is worth (judge), the count itself (steps), approval (deciding)."""
