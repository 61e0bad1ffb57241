"""Most of a node's events read fast, for loops over millions of them: only what is asked for is decoded.

`replay.proto` and its SkimmedEvent name the same bytes as `journal.proto`, with fewer fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from google.protobuf.message import DecodeError

from bodega.codec import account_from_wire, movement_from_wire, parse_node_event
from bodega.core.ledger import Account, PostingValues
from bodega.errors import IntegrityBroken, PeerFault
from bodega.limits import ACCOUNTS_REMEMBERED_MAX
from bodega.v1 import replay_pb2, stock_pb2


def postings_of_event(body: bytes, known: dict[bytes, Account]) -> Sequence[PostingValues]:
    """The postings of a node's event, none if it is no movement: for loops over millions of them.

    Nothing else of the event is read (`replay.proto`). `known` is such a loop's own memory of accounts by their bytes,
    so that each is decoded once; it is emptied when it holds ACCOUNTS_REMEMBERED_MAX of them. Raises PeerFault if the
    bytes are no NodeEvent at all, IntegrityBroken for a movement without postings.
    """
    postings: list[PostingValues] = []
    try:
        event = replay_pb2.ReplayedEvent.FromString(body)
        # A slice is a list at once: to iterate over the field itself takes twice as long.
        for posting in event.movement.postings[:]:
            if posting.last_serial:
                return movement_from_wire(parse_node_event(body).movement).postings
            key = posting.account
            account = known.get(key)
            if account is None:
                account = _remembered(key, known)
            postings.append((account, posting.quantity, ()))
    except DecodeError as error:
        raise PeerFault(f"not a NodeEvent: {error}") from error
    if not postings and event.HasField("movement"):
        raise IntegrityBroken("a movement has no postings")
    return postings


def _remembered(key: bytes, known: dict[bytes, Account]) -> Account:
    if len(known) >= ACCOUNTS_REMEMBERED_MAX:
        known.clear()
    account = known[key] = account_from_wire(stock_pb2.Account.FromString(key))
    return account


class PlainMove(NamedTuple):
    """An event that brings `quantity` units from one account to another, and says no more than that."""

    cmd_id: str
    at_ms: int
    command: str
    source: Account
    target: Account
    quantity: int
    fulfillment_order_id: str


def plain_move(body: bytes, known: dict[bytes, Account]) -> PlainMove | None:
    """Most of a node's events, read fast and found to sum to zero; None for all others, to be read in full.

    Others are: what is no movement or no event, and a movement of more than two postings, or with serials, a
    reason, a correction, a transfer, a reservation or news of a lot. `known` as in `postings_of_event`.
    """
    try:
        event = replay_pb2.SkimmedEvent.FromString(body)
        movement = event.movement
        postings = movement.postings
        if len(postings) != 2 or _says_more(movement):
            return None
        first, second = postings
        quantity, key, other_key = second.quantity, first.account, second.account
        if not quantity or first.quantity + quantity or first.last_serial or second.last_serial:
            return None
        source = known.get(key) or _remembered(key, known)
        target = known.get(other_key) or _remembered(other_key, known)
    except DecodeError:
        return None
    if source.sku_id != target.sku_id or source.lot != target.lot or source.owner != target.owner:
        return None
    return PlainMove(
        event.cmd_id,
        event.at_ms,
        movement.command,
        source,
        target,
        quantity,
        movement.fulfillment_order_id,
    )


def _says_more(movement: replay_pb2.SkimmedMovement) -> bool:
    return bool(
        movement.corrects
        or movement.reason
        or movement.transfer_id
        or movement.reservation_id
        or movement.last_lot
    )
