"""Reed-Solomon check words over GF(256), as DataMatrix and QR Code use them."""

from __future__ import annotations

from collections.abc import Sequence


class Field:
    """GF(256) with a primitive polynomial: 0x12D for DataMatrix, 0x11D for QR Code."""

    def __init__(self, polynomial: int, first_root: int) -> None:
        self._first_root = first_root
        self._power = [1] * 255
        for exponent in range(1, 255):
            value = self._power[exponent - 1] << 1
            self._power[exponent] = value ^ polynomial if value & 0x100 else value
        self._log = {value: exponent for exponent, value in enumerate(self._power)}

    def check_words(self, data: Sequence[int], count: int) -> list[int]:
        """The `count` words that make `data` divisible by the generator with that many roots."""
        generator = [1]
        for root in range(self._first_root, self._first_root + count):
            scaled = [0, *(self._times(word, self._power[root % 255]) for word in generator)]
            generator = [a ^ b for a, b in zip([*generator, 0], scaled, strict=True)]
        rest = [0] * count
        for word in data:
            factor = word ^ rest[0]
            rest = [*rest[1:], 0]
            rest = [a ^ self._times(factor, b) for a, b in zip(rest, generator[1:], strict=True)]
        return rest

    def _times(self, one: int, other: int) -> int:
        if not one or not other:
            return 0
        return self._power[(self._log[one] + self._log[other]) % 255]
