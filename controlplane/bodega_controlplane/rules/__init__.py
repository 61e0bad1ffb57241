"""PURE rules of the control plane: no clock, no random, no I/O. What to decide, never how to store it."""
