"""Use cases of the file exchange."""
