"""Events packed for the wire: smaller where it pays, and never a bomb for whoever unpacks them.

A packed run of events is one zstd frame (RFC 8878) around an `Envelope` message that has nothing but `events`. It
is sent only to a peer that has said in a heartbeat that it understands it, and never changes what is hashed and
kept: the chain goes over the events themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeAlias

from backports import zstd
from google.protobuf.message import DecodeError

from bodega.errors import PeerFault
from bodega.limits import ENVELOPE_BYTES_MAX, ENVELOPE_EVENTS_MAX, PACKED_RATIO_MAX, PACKING_BYTES_MIN
from bodega.v1 import sync_pb2

Packing: TypeAlias = sync_pb2.Packing.ValueType

# What this version unpacks, and so says in its heartbeats.
UNDERSTOOD: tuple[Packing, ...] = (sync_pb2.PACKING_ZSTD,)

# Of all levels the first: on events, whose names and ids repeat, the higher ones take longer and save nothing.
_LEVEL = 1

# What a frame may hold: events at their bound, each with its tag and length.
_UNPACKED_BYTES_MAX = ENVELOPE_BYTES_MAX + 8 * ENVELOPE_EVENTS_MAX
_BOUNDED: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _UNPACKED_BYTES_MAX.bit_length()}


def pack(message: sync_pb2.Envelope, understood: Collection[int]) -> None:
    """Pack the events of a message where that pays and the reader understands it; else leave it as it is."""
    if sync_pb2.PACKING_ZSTD not in understood:
        return
    plain = sync_pb2.Envelope(events=message.events).SerializeToString()
    if len(plain) < PACKING_BYTES_MIN:
        return
    packed = zstd.compress(plain, _LEVEL)
    if len(packed) <= len(plain) * PACKED_RATIO_MAX:
        message.packing = sync_pb2.PACKING_ZSTD
        message.packed = packed
        del message.events[:]


def events_of(message: sync_pb2.Envelope) -> Sequence[bytes]:
    """The events of a message, packed or not. Raises PeerFault for what cannot be unpacked, or not within bounds."""
    if not message.packing and not message.packed:
        return message.events
    if message.packing not in UNDERSTOOD:
        raise PeerFault(f"packing {message.packing} is not known to this version")
    if message.events:
        raise PeerFault("its events are there twice, packed and not")
    try:
        return sync_pb2.Envelope.FromString(_unpacked(message.packed)).events
    except (DecodeError, zstd.ZstdError) as error:
        raise PeerFault(f"its packed events are damaged: {error}") from error


def _unpacked(frame: bytes) -> bytes:
    unpacker = zstd.ZstdDecompressor(options=_BOUNDED)
    plain = unpacker.decompress(frame, max_length=_UNPACKED_BYTES_MAX + 1)
    if len(plain) > _UNPACKED_BYTES_MAX:
        raise PeerFault(f"its packed events are more than {_UNPACKED_BYTES_MAX} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise PeerFault("its packed events are not one whole frame")
    return plain
