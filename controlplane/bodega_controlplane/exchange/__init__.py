"""Files to and from a shop: the port, a watched folder, and what the files say."""
