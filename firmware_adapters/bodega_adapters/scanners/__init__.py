"""Barcode scanners: one file per device family."""
