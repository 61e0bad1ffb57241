"""A node's journal comes in and becomes rows: judged, kept byte for byte, applied in one transaction."""
