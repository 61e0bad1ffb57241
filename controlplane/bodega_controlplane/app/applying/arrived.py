"""An event of a node's journal as it arrives: decoded in full, or skimmed where it only changes balances."""

from __future__ import annotations

from typing import NamedTuple

from bodega.codec import fact_of, parse_node_event, without_zero_characters
from bodega.core.ledger import Account
from bodega.errors import PeerFault
from bodega.skimming import PlainMove, plain_move
from bodega.v1 import journal_pb2

# What the journal says of bytes that are no NodeEvent at all.
UNREADABLE_FACT = "unreadable"

PICK = "pick"
# Commands that take nothing that could be sold, and so only change balances, if nothing else is said with them
# (`skimming.plain_move`), and those that take it off a shelf: most of what a node does all day, and worth a way of
# its own.
_PLAIN_COMMANDS = frozenset({"receive", "put_away", PICK, "pack", "unpack", "ship"})


class Arrived(NamedTuple):
    """One event, decoded."""

    seq: int
    fact: str
    message: journal_pb2.NodeEvent


class Picked(NamedTuple):
    """A plain move off a shelf, which may keep a promise, or take from under one."""

    seq: int
    move: PlainMove


def decode(seq: int, body: bytes) -> Arrived:
    """The event; one that is unreadable has no fact that anybody knows."""
    try:
        message = without_zero_characters(parse_node_event(body), body)
    except PeerFault:
        return Arrived(seq, UNREADABLE_FACT, journal_pb2.NodeEvent())
    return Arrived(seq, fact_of(message), message)


def skimmed(body: bytes, known: dict[bytes, Account]) -> PlainMove | None:
    """The event, if it only changes balances; a zero byte may be a character that not every database takes.

    `known`: see `skimming.postings_of_event`.
    """
    plain = None if b"\0" in body else plain_move(body, known)
    return plain if plain is not None and plain.command in _PLAIN_COMMANDS else None
