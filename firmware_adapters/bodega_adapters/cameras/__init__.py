"""Cameras: one file per device family; imported only by the vision process."""
