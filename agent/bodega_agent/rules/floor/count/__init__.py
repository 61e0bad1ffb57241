"""The count flow: which place is next and what becomes of a line (judge), the count itself (steps), approval (deciding)."""
