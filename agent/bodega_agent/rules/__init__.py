"""The work on the floor as pure rules: no clock, no random, no I/O, no asyncio."""
