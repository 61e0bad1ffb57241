"""Pure rules: no clock, no random, no I/O, no asyncio. Time and ids come in as arguments."""
