"""A routing bundle on its way to a node: packed, signed for one activation, and checked before it is read."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from hashlib import sha256

from bodega.errors import PeerFault
from bodega.limits_hub import ROUTING_BUNDLE_BYTES_MAX
from bodega.v1 import routing_pb2


def activation_text(activation: int, digest: bytes) -> bytes:
    """What the hub signs: that this bundle is in force as the so-manieth, so that nobody can bring an old one back."""
    return f"bodega-routing-v1\n{activation}\n{digest.hex()}".encode()


def bundle_message(activation: int, document: bytes, signature: bytes) -> routing_pb2.RoutingBundle:
    """The message of a bundle in its canonical bytes; `signature`: over `activation_text`."""
    return routing_pb2.RoutingBundle(
        activation=activation,
        document_zlib=zlib.compress(document, 9),
        digest=sha256(document).digest(),
        signature=signature,
    )


def document_of(message: routing_pb2.RoutingBundle, verify: Callable[[bytes, bytes], bool]) -> bytes:
    """The document of a bundle that the hub has signed; `verify(signature, text)` knows the hub's key.

    Raises PeerFault for one that somebody else has made, or that is not what was signed.
    """
    if not verify(message.signature, activation_text(message.activation, message.digest)):
        raise PeerFault("the signature of the routing bundle is not the hub's")
    unpacker = zlib.decompressobj()
    try:
        document = unpacker.decompress(message.document_zlib, ROUTING_BUNDLE_BYTES_MAX)
    except zlib.error as error:
        raise PeerFault("the routing bundle can not be unpacked") from error
    if not unpacker.eof or unpacker.unused_data:
        raise PeerFault(f"the routing bundle has more than {ROUTING_BUNDLE_BYTES_MAX} bytes")
    if sha256(document).digest() != message.digest:
        raise PeerFault("the routing bundle is not the one that the hub has signed")
    return document
