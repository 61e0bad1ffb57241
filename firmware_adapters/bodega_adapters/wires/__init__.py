"""Byte pipes to devices: serial lines, device files, TCP. Drivers speak over a `Wire` and do not care which.

`wire` is the port, `tape` records what crosses any wire and plays it back, the others open one each.
"""
