"""Devices simulated at the operating system's edge: they ship, for --simulate, the demo and the tests."""
