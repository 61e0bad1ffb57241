"""Returns: find what they belong to, take units back, grade them, decide what becomes of them, say what is owed."""
