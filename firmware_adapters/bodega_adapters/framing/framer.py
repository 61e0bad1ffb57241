"""What a scanner's driver asks of a framing, whatever its wire carries: characters, key strokes or reports."""

from __future__ import annotations

from typing import Protocol


class Framer(Protocol):
    """Cuts what one device sends into scans: bytes as a serial scanner would send them, AIM identifier in front.

    The result depends on the bytes and on the silences that it asked for alone, never on how reads cut the bytes.
    """

    @property
    def dropped_frames(self) -> int:
        """How many pieces were no scan: garbage, halves, and what is too long."""
        ...

    @property
    def patience_ms(self) -> int | None:
        """How long the device may be silent now before `gap` is called; None: for ever."""
        ...

    def feed(self, data: bytes) -> list[bytes]:
        """The scans that `data` completes, in order. Raises `PeerFault` for a device that is none of this framing."""
        ...

    def gap(self) -> list[bytes]:
        """The device has been silent for `patience_ms`: the scan that ends by that, if one does."""
        ...

    def reset(self) -> None:
        """The device was opened: half a scan of before must not join a scan of after."""
        ...
