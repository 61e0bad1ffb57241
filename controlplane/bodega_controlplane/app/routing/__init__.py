"""Routing bundles in the centre: checked, tried on the past, put in force everywhere, and every decision kept."""
