"""Frames of a call over NATS: metadata checked and bounded, messages of `rpc.proto` made and read.

Errors are gRPC's own: a `Fault` is a status and a sentence, which either end turns into what its caller expects.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from bodega.limits import RPC_BODY_BYTES_MAX, RPC_METADATA_BYTES_MAX
from bodega.v1 import rpc_pb2

Pairs = tuple[tuple[str, str | bytes], ...]
M = TypeVar("M", bound=Message)

# gRPC over HTTP/2, "Custom-Metadata": lower case, and values of printable ASCII unless the key says binary.
_KEY = re.compile(r"[0-9a-z_.-]+")
_BINARY = "-bin"
_RESERVED = "grpc-"

STATUS_OF: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


class Fault(Exception):
    """Why a frame cannot go or be read: a gRPC status and one sentence."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code = code
        self.details = details


def subject_of(method: str) -> str:
    """ "/bodega.v1.ArtifactService/GetArtifactRange" as the end of a subject: the slash is a dot there."""
    service, _, name = method.lstrip("/").rpartition("/")
    return f"{service}.{name}"


def method_of(subject_end: str) -> str:
    """The inverse of `subject_of`."""
    service, _, name = subject_end.rpartition(".")
    return f"/{service}/{name}"


def pairs_to_wire(pairs: Iterable[tuple[str, str | bytes]] | None) -> list[rpc_pb2.RpcMetadatum]:
    """Metadata to send. Raises Fault: INTERNAL for what is no metadata, RESOURCE_EXHAUSTED for too much of it."""
    sent: list[rpc_pb2.RpcMetadatum] = []
    size = 0
    for key, value in pairs or ():
        raw = _value_to_wire(key, value)
        size += len(key) + len(raw)
        sent.append(rpc_pb2.RpcMetadatum(key=key, value=raw))
    if size > RPC_METADATA_BYTES_MAX:
        raise Fault(
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            f"the metadata has {size} bytes, {RPC_METADATA_BYTES_MAX} is the most",
        )
    return sent


def _value_to_wire(key: str, value: str | bytes) -> bytes:
    if not _KEY.fullmatch(key) or key.startswith(_RESERVED):
        raise Fault(grpc.StatusCode.INTERNAL, f"{key[:80]!r} cannot be a key of metadata")
    if key.endswith(_BINARY):
        return value if isinstance(value, bytes) else value.encode()
    text = value if isinstance(value, str) else value.decode("latin-1")
    if not (text.isascii() and (text.isprintable() or not text)):
        raise Fault(grpc.StatusCode.INTERNAL, f"the metadata {key} is not printable ASCII")
    return text.encode()


def pairs_from_wire(sent: Iterable[rpc_pb2.RpcMetadatum]) -> Pairs:
    """Metadata as it came; what is no text where text belongs reads as replaced characters, never as an error."""
    return tuple(
        (one.key, one.value if one.key.endswith(_BINARY) else one.value.decode("ascii", errors="replace"))
        for one in sent
    )


def read(message: M, frame: bytes) -> M:
    """Fill a message of `rpc.proto`; raises Fault INTERNAL for bytes that are none."""
    try:
        message.ParseFromString(frame)
    except DecodeError as error:
        name = message.DESCRIPTOR.name
        raise Fault(grpc.StatusCode.INTERNAL, f"the frame is no {name}: {error}") from error
    return message


def check_size(what: str, body: bytes, *, frame_bytes: int, payload_bytes_max: int) -> None:
    """Raise Fault RESOURCE_EXHAUSTED, with the bytes and the bound, before anything is sent.

    `frame_bytes`: the body with all that travels with it; `payload_bytes_max`: what the broker takes.
    """
    if len(body) > RPC_BODY_BYTES_MAX:
        raise Fault(
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            f"{what} has {len(body)} bytes, {RPC_BODY_BYTES_MAX} is the most",
        )
    if frame_bytes > payload_bytes_max:
        raise Fault(
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            f"{what} takes {frame_bytes} bytes on the wire, the broker takes {payload_bytes_max}",
        )
