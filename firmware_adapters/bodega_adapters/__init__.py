"""Devices behind small ports: scanners, label printers, cameras, and their simulated twins."""
