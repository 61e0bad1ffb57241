"""Carriers: the port that a real one plugs into, which of them there are, and the one that is a file of rates."""
