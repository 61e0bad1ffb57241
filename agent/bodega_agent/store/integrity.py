"""Does the ledger add up: the journal walked as a chain, its movements folded, the tables held against the sum.

`walk` is the one loop that reads events; verify, the background walk, checkpoints and archives all use it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import apsw

from bodega.codec import movement_from_wire, parse_node_event
from bodega.core.chain import GENESIS, link
from bodega.core.ledger import Account, PostingValues, check_postings
from bodega.core.recipes import SerialKey
from bodega.errors import IntegrityBroken, PeerFault
from bodega.skimming import postings_of_event

# (seq, body, hash), as the journal and the archives give them.
Event = tuple[int, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Trouble:
    """The first thing found wrong, in one sentence.

    `kind`: "event" (`seq` is the first bad one), "balance" or "serial" (a row of the table is not what the journal
    adds up to; `seq` is the first event that touched it since the tables were last found right, None if no event
    did: then it was changed outside of the journal), "archive", "checkpoint" (none to begin at), or "file" (SQLite
    can not read it).
    """

    kind: str
    problem: str
    seq: int | None = None


@dataclass(slots=True)
class Fold:
    """What the journal adds up to, up to `seq`: balances that are not zero, and serials in the node.

    A serial that has left the node has no place here: where it went is in the events that name it.
    """

    seq: int = 0
    hash: bytes = GENESIS
    balances: dict[Account, int] = field(default_factory=dict)
    serials: dict[SerialKey, Account] = field(default_factory=dict)


def walk(events: Iterable[Event], fold: Fold) -> Trouble | None:
    """Take consecutive events into the fold; the first bad one ends the walk, and the fold stands before it.

    Checked of each: its number, its hash, and of a movement that it sums to zero, that it takes no place in the
    node below zero, and that no serial is in two of them. Balances of the bad event itself may be half in.
    """
    known: dict[bytes, Account] = {}
    expected, head = fold.seq + 1, fold.hash
    for seq, body, chain_hash in events:
        if seq != expected:
            return Trouble("event", f"event {expected} is missing", expected)
        linked = link(head, body)
        if linked != chain_hash:
            return Trouble("event", f"event {seq} does not hash to what was recorded", seq)
        problem = _take(fold, known, body)
        if problem:
            return Trouble("event", f"event {seq}: {problem}", seq)
        fold.seq, fold.hash = seq, linked
        expected, head = seq + 1, linked
    return None


def live_events(connection: apsw.Connection, after_seq: int, limit: int = -1) -> Iterable[Event]:
    """Events of the live journal after `after_seq`, in order; a body that is no blob any more is read as one."""
    return connection.execute(
        "SELECT seq, CAST(body AS BLOB), hash FROM journal WHERE seq > ? ORDER BY seq LIMIT ?",
        (after_seq, limit),
    )


def _take(fold: Fold, known: dict[bytes, Account], body: bytes) -> str:
    """Fold one event; what is wrong with it, or nothing."""
    try:
        postings = postings_of_event(body, known)
        if not postings:
            return ""
        check_postings(postings)
    except (IntegrityBroken, PeerFault) as error:
        return error.message
    balances = fold.balances
    below: list[Account] = []
    serials: tuple[str, ...] = ()
    for account, quantity, named in postings:
        total = balances.get(account, 0) + quantity
        if total:
            balances[account] = total
            if total < 0 and not account.external:
                below.append(account)
        else:
            del balances[account]
        serials = named or serials
    # On its way through a movement an account may be below zero; only where the movement leaves it counts.
    for account in below:
        if balances.get(account, 0) < 0:
            return f"{account.sku_id} in {account.bin} falls below zero"
    return _move_serials(fold.serials, postings) if serials else ""


def _move_serials(places: dict[SerialKey, Account], postings: Iterable[PostingValues]) -> str:
    """Bring the serials of a movement to where they are after it; they leave a place before they enter one."""
    changes: dict[tuple[SerialKey, Account], int] = {}
    for account, quantity, serials in postings:
        if account.is_physical:
            for serial in serials:
                step = (account.sku_id, serial), account
                changes[step] = changes.get(step, 0) + (1 if quantity > 0 else -1)
    for (key, account), change in sorted(changes.items(), key=lambda item: item[1]):
        if change < 0 and places.pop(key, None) != account:
            return f"serial {key[1]} of {key[0]} leaves {account.bin}, where it is not"
        if change > 0:
            if key in places:
                return f"serial {key[1]} of {key[0]} is in {places[key].bin} and in {account.bin}"
            places[key] = account
    return ""


def compare(connection: apsw.Connection, fold: Fold, *, sound_seq: int = 0) -> Trouble | None:
    """Hold the tables against a fold of the whole journal, in the same read transaction; the first row that differs.

    `sound_seq`: where they were last found right.
    """
    book = {Account(*row[:6]): row[6] for row in connection.execute(_BALANCES)}
    for account in sorted(book.keys() | fold.balances.keys()):
        row, total = book.get(account, 0), fold.balances.get(account, 0)
        if row != total:
            place = f"{account.sku_id} in {account.bin or account.external}"
            said = f"the balance of {place} is {row}, its events add up to {total}"
            return _mismatch(connection, "balance", said, account, "", sound_seq)
    places = {
        (sku_id, serial): Account(sku_id, *place) for sku_id, serial, *place in connection.execute(_SERIALS)
    }
    for key in sorted(places.keys() | fold.serials.keys()):
        there, expected = places.get(key), fold.serials.get(key)
        if there != expected:
            said = f"serial {key[1]} of {key[0]} is {_where(there)}, by its events it is {_where(expected)}"
            return _mismatch(connection, "serial", said, Account(key[0]), key[1], sound_seq)
    return None


_BALANCES = "SELECT sku_id, bin, disposition, lot, owner, external, quantity FROM balance"
_SERIALS = "SELECT sku_id, serial, bin, disposition, lot, owner FROM serial WHERE external = ''"


def _where(account: Account | None) -> str:
    return f"in {account.bin} ({account.disposition})" if account else "not in the node"


def _mismatch(
    connection: apsw.Connection, kind: str, said: str, account: Account, serial: str, sound_seq: int
) -> Trouble:
    touched = _first_touch(connection, account, serial, sound_seq)
    since = f"after event {sound_seq} (where it was right)" if sound_seq else "of the journal"
    why = (
        f"the first event {since} that touched it is {touched}"
        if touched
        else f"no event {since} touched it: the row was changed outside of the journal"
    )
    return Trouble(kind, f"{said}; {why}", touched)


def _first_touch(connection: apsw.Connection, account: Account, serial: str, after_seq: int) -> int | None:
    """The first movement after `after_seq` with this account, or with this serial of its SKU."""
    rows = connection.execute(
        "SELECT seq, body FROM journal WHERE seq > ? AND fact = 'movement'"
        " AND instr(body, CAST(? AS BLOB)) ORDER BY seq",
        (after_seq, serial or account.sku_id),
    )
    for seq, body in rows:
        for posting in movement_from_wire(parse_node_event(body).movement).postings:
            same_sku = posting.account.sku_id == account.sku_id
            if posting.account == account or (serial in posting.serials and same_sku):
                return int(seq)
    return None


class BackgroundWalk:
    """The ledger re-derived while the agent works: slices of the journal, then the tables held against the sum.

    `fold` is how far it has come; `sound_seq` is where the tables were last found right.
    """

    def __init__(self, start: Fold | None = None) -> None:
        self.fold = start or Fold()
        self.sound_seq = self.fold.seq

    def step(self, connection: apsw.Connection, events_max: int) -> tuple[bool, Trouble | None]:
        """Walk the next events, in one read snapshot; whether the head was reached, and what is wrong.

        Only at the head can the tables be held against the fold.
        """
        before = self.fold.seq
        try:
            with connection:
                bad = walk(live_events(connection, before, events_max), self.fold)
                at_head = self.fold.seq - before < events_max
                if bad is None and at_head:
                    bad = compare(connection, self.fold, sound_seq=self.sound_seq)
                    self.sound_seq = self.fold.seq if bad is None else self.sound_seq
        except (apsw.CorruptError, apsw.NotADBError) as error:
            return False, Trouble("file", f"SQLite can not read the ledger: {error}")
        return at_head, bad


class Scrub:
    """The live journal's chain, checked again from its first event on, round after round.

    The background walk passes each event once; a byte that rots behind it is found here.
    """

    def __init__(self) -> None:
        self._seq, self._hash = 0, GENESIS

    def step(self, connection: apsw.Connection, events_max: int) -> tuple[bool, Trouble | None]:
        """Check the next events, in one read snapshot; whether the round ended at the head, and what is wrong."""
        try:
            with connection:
                archived = connection.execute(
                    "SELECT last_seq, last_hash FROM archive ORDER BY last_seq DESC LIMIT 1"
                )
                begin_seq, begin_hash = next(iter(archived), (0, GENESIS))
                if self._seq < begin_seq:
                    self._seq, self._hash = begin_seq, begin_hash
                before = self._seq
                for seq, body, chain_hash in live_events(connection, before, events_max):
                    linked = link(self._hash, body)
                    if seq != self._seq + 1 or linked != chain_hash:
                        said = f"event {self._seq + 1} is not what it was when it was recorded"
                        return False, Trouble("event", said, self._seq + 1)
                    self._seq, self._hash = seq, linked
        except (apsw.CorruptError, apsw.NotADBError) as error:
            return False, Trouble("file", f"SQLite can not read the ledger: {error}")
        if self._seq - before == events_max:
            return False, None
        self._seq, self._hash = 0, GENESIS
        return True, None
