"""Scales: one file per device family."""
