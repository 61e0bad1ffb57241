"""The nodes: registered, heard, told what the hub decides, and brought back when they have lost their place."""
