"""Acks: "committed up to here", counter-signed so that no broker can make one up."""

from __future__ import annotations

from bodega.codec import ack_text, head_to_ack
from bodega.core.sync import Head
from bodega.v1 import sync_pb2
from bodega_controlplane.keys import HubKey


def signed_ack(key: HubKey, node_id: str, head: Head) -> sync_pb2.Ack:
    """The ack of a head, with the hub's signature."""
    ack = head_to_ack(node_id, head)
    ack.signature = key.sign(ack_text(ack))
    return ack
