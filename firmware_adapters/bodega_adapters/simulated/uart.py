"""What a serial port reads when its speed is not the sender's: a pure model of a UART, for the simulated scanner.

8 data bits, no parity, 1 stop bit, back to back. The receiver finds the edge of a start bit and samples the middle of
each bit by its own clock. A stop bit that is low is a framing error, whose byte is delivered all the same, as Linux
does with the settings of our driver; then the receiver waits for the line to be high again.
"""

from __future__ import annotations

from fractions import Fraction

_BITS = 8


def garbled(data: bytes, *, sent_at: int, read_at: int) -> bytes:
    """`data` sent at one speed and read at another (bit/s); itself when they are the same."""
    levels = [level for byte in data for level in (0, *((byte >> bit) & 1 for bit in range(_BITS)), 1)]
    ratio = Fraction(sent_at, read_at)

    def level(at: Fraction) -> int:
        number = int(at)
        return levels[number] if number < len(levels) else 1

    read = bytearray()
    at = Fraction(0)
    while (edge := _next_low(levels, at)) is not None:
        bits = [level(edge + ratio * Fraction(2 * bit + 3, 2)) for bit in range(_BITS)]
        read.append(sum(value << bit for bit, value in enumerate(bits)))
        at = edge + ratio * Fraction(2 * _BITS + 3, 2)
        while not level(at):
            at = Fraction(int(at) + 1)
    return bytes(read)


def _next_low(levels: list[int], at: Fraction) -> Fraction | None:
    if int(at) < len(levels) and not levels[int(at)]:
        return at
    return next((Fraction(each) for each in range(int(at) + 1, len(levels)) if not levels[each]), None)
