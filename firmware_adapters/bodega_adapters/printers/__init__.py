"""Label printers: one file per device family."""
