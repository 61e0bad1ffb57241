"""What a serial port reads when its speed is not the sender's: a pure model of a UART, for the simulated scanner.

8 data bits, no parity, 1 stop bit, back to back. The receiver finds the edge of a start bit and samples the middle of
each bit by its own clock. A stop bit that is low is a framing error, whose byte is delivered all the same, as Linux
does with the settings of our driver; then the receiver waits for the line to be high again.
"""

from __future__ import annotations

_BITS = 8


def garbled(data: bytes, *, sent_at: int, read_at: int) -> bytes:
    """`data` sent at one speed and read at another (bit/s); itself when they are the same."""
    levels = [level for byte in data for level in (0, *((byte >> bit) & 1 for bit in range(_BITS)), 1)]
    # Time in ticks of 1 / (2 * sent_at * read_at) s, so that every edge and the middle of every bit is a whole number.
    sent_bit, read_bit = 2 * read_at, 2 * sent_at

    def level(tick: int) -> int:
        number = tick // sent_bit
        return levels[number] if number < len(levels) else 1

    def next_level(wanted: int, tick: int) -> int:
        while level(tick) != wanted and tick < len(levels) * sent_bit:
            tick = (tick // sent_bit + 1) * sent_bit
        return tick

    read = bytearray()
    edge = next_level(0, 0)
    while edge < len(levels) * sent_bit:
        middle = edge + read_bit // 2
        bits = [level(middle + read_bit * number) for number in range(1, _BITS + 1)]
        read.append(sum(value << bit for bit, value in enumerate(bits)))
        edge = next_level(0, next_level(1, middle + read_bit * (_BITS + 1)))
    return bytes(read)
