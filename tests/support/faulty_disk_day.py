"""A node's day from a seed: every ledger command there is, and news of the hub, in batches.

Most commands are meant well, some find goods that the book does not have, some must be refused. The clock stands
still and moves with the commands, so that a command that comes again after a crash does what it would have done.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from bodega.core.chain import link
from bodega.core.commands import decode
from bodega.core.deadline import BootTime
from bodega.core.sync import Head
from bodega.v1 import catalogue_pb2, journal_pb2, orders_pb2, stock_pb2
from bodega_adapters.framing.check_digit import make_sscc
from bodega_agent.store import commands
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction

BATCH_COMMANDS_MAX = 6
BINS = ("A-01-01", "A-01-02", "DOCK")
PLAIN, LOTTED, SERIAL, KIT = "PLAIN", "LOTTED", "SERIAL", "KIT"
EXPIRIES = {"L1": "2031-01-31", "L2": "2031-06-30"}
DISPOSITIONS = ("sellable_accessible", "in_progress", "damaged", "returned")
RIGHTS = 20
SECOND_MS = 1_000

Json = dict[str, Any]


class Clock:
    """The boot time that stores of a day are opened with; each command sets it."""

    ms = 0

    @classmethod
    def now(cls) -> BootTime:
        """Stands still between commands."""
        return BootTime("boot", cls.ms)


@dataclass(frozen=True)
class Command:
    """One command as a client sends it: an id of its own, and what to do."""

    cmd_id: str
    body: Json
    at_ms: int

    async def send(self, store: Store) -> Json:
        """Its result; the same when it comes again."""
        return await store.write(self.run)

    def run(self, tx: Transaction) -> Json:
        """Do it in the writer's transaction."""
        Clock.ms = self.at_ms
        return commands.run(tx, Context(self.cmd_id, actor="ana", device="scanner-1"), decode(self.body))


@dataclass(frozen=True)
class News:
    """One event of the hub's stream; sending it sends what is missing before it too, as sync does."""

    stream: list[tuple[Head, bytes]]
    seq: int

    @property
    def cmd_id(self) -> str:
        """What the hub calls it."""
        return f"hub-{self.seq}"

    async def send(self, store: Store) -> Json:
        """Apply it unless the node has it."""
        head = await store.down_head()
        for next_head, body in self.stream[head.seq : self.seq]:
            await store.apply_down([(next_head.seq, body)], next_head)
        return {"down_seq": self.seq}


class Day:
    """What is sent, batch by batch: each batch together, the next when all answers are there."""

    def __init__(self, seed: int, *, batches: int) -> None:
        self._seed = seed
        self._luck = Random(f"day {seed}")
        self._numbers = itertools.count(1)
        self._stream: list[tuple[Head, bytes]] = []
        self.batches = [self._catalogue(), self._morning()]
        self.batches += [self._batch() for _ in range(batches)]
        self.batches += self._evening() if batches else []

    @property
    def sendings(self) -> list[Command | News]:
        """All of them in order."""
        return [sending for batch in self.batches for sending in batch]

    def _hear(self, **fact: Any) -> News:
        head = self._stream[-1][0] if self._stream else Head()
        event = journal_pb2.HubEvent(cmd_id=f"hub-{head.seq + 1}", at_ms=1, **fact)
        body = event.SerializeToString()
        self._stream.append((Head(1, head.seq + 1, link(head.hash, body)), body))
        return News(self._stream, head.seq + 1)

    def _catalogue(self) -> list[Command | News]:
        sku = catalogue_pb2.Sku
        part = catalogue_pb2.KitComponent
        case = catalogue_pb2.Unit(unit="case", base_units=6)
        serials = catalogue_pb2.SsccRange(
            extension=3, company_prefix="9521234", first_serial=1, last_serial=999
        )
        bins = [catalogue_pb2.Bin(bin_id=b, walk_order=i) for i, b in enumerate(BINS)]
        skus = (
            sku(sku_id=PLAIN, name="Cup", units=[case], units_version=1, version=1),
            sku(sku_id=LOTTED, name="Milk", lot_tracked=True, expiry_tracked=True, version=1),
            sku(sku_id=SERIAL, name="Phone", serial_tracked=True, version=1),
            sku(
                sku_id=KIT, name="Set", components=[part(sku_id=PLAIN, quantity=2), part(sku_id=SERIAL, quantity=1)],
                version=1,
            ),
        )  # fmt: skip
        profile = catalogue_pb2.NodeProfile(node_id="lisbon-01", sscc_range=serials, bins=bins, version=1)
        return [self._hear(node_profile=profile), *(self._hear(sku=one) for one in skus)]

    def _morning(self) -> list[Command | News]:
        """Rights, an order, and goods for them."""
        in_stock = [("PLAIN", 30, {}), ("LOTTED", 12, {"lot": "L1", "expiry": EXPIRIES["L1"]})]
        news = [self._rights(sku_id) for sku_id in (PLAIN, LOTTED)]
        stocked = [
            self._command({"command": "receive", "sku_id": sku_id, "quantity": quantity, **more})
            for sku_id, quantity, more in in_stock
        ]
        shelved = [
            self._command({"command": "put_away", "sku_id": s, "quantity": q, "to_bin_id": BINS[0], **more})
            for s, q, more in in_stock
        ]
        return [*news, self._order(), *stocked, *shelved]

    def _evening(self) -> list[list[Command | News]]:
        """What luck alone seldom brings about: commands that only make sense after others."""
        parcel: Json = {"sscc": make_sscc(3, "9521234", 2_000)}
        cup: Json = {"sku_id": PLAIN, "quantity": 1}
        at: Json = {"bin_id": BINS[0]}
        count: Json = {"command": "count", **at, "sku_id": PLAIN, "quantity": 60}
        reservations = [{"reservation_id": f"E{number}"} for number in range(3)]
        reserved = [{"command": "reserve", "expires_after_s": 1, **r, **cup} for r in reservations]
        packed = {"command": "pack", **at, **parcel, **cup}
        return [
            [self._rights(PLAIN), *map(self._command, [count, packed])],
            [
                self._command(body)
                for body in [*reserved, {"command": "unpack", **parcel, "to_bin_id": BINS[0]}]
            ],
            [
                self._command({"command": "release", **reservations[0]}),
                self._command({"command": "post", **reservations[1], **at, "quantity": 1}),
                self._command({"command": "expire", **reservations[2]}),
                self._command({"command": "pack", **at, **parcel, **cup}),
                self._command({"command": "ship", **parcel}),
            ],
            [self._command({"command": "correct", "event": "1/3", "reason": "typed wrong"})],
        ]

    def _batch(self) -> list[Command | News]:
        luck = self._luck
        news = [luck.choice((self._order, lambda: self._rights(PLAIN)))()] if luck.random() < 0.15 else []
        some = luck.randint(1, BATCH_COMMANDS_MAX)
        return [*news, *(self._command(self._body()) for _ in range(some))]

    def _rights(self, sku_id: str) -> News:
        granted = stock_pb2.RightsGranted(
            transfer_id=f"T-{len(self._stream)}", sku_id=sku_id, quantity=RIGHTS
        )
        return self._hear(rights_granted=granted)

    def _order(self) -> News:
        number = len(self._stream)
        lines = [orders_pb2.OrderLine(line=1, sku_id=PLAIN, quantity=2)]
        return self._hear(
            fulfillment_order=orders_pb2.FulfillmentOrder(
                fulfillment_order_id=f"FO-{number}",
                order_id=f"ORD-{number}",
                lines=lines,
                recipient=orders_pb2.Recipient(name="Ana Ribeiro", address=["Rua do Ouro 2"], country="PT"),
                carrier_service="parcel",
                fencing_token=1,
            )
        )

    def _command(self, body: Json) -> Command:
        number = next(self._numbers)
        cmd_id = f"cmd-{self._seed}-{number}"
        return Command(cmd_id, {**body, "cmd_id": cmd_id}, number * SECOND_MS)

    def _body(self) -> Json:
        name = self._luck.choice((*_BODIES, *_OFTEN))
        return {"command": name, **_BODIES[name](self._luck, self)}

    def an_order(self) -> str:
        """The id of one of the orders that came so far."""
        orders = [
            event.fulfillment_order.fulfillment_order_id
            for event in (journal_pb2.HubEvent.FromString(body) for _, body in self._stream)
            if event.WhichOneof("fact") == "fulfillment_order"
        ]
        return self._luck.choice(orders[-2:])


def _line(luck: Random, *, sku_ids: tuple[str, ...] = (PLAIN, PLAIN, LOTTED, SERIAL)) -> Json:
    sku_id, quantity = luck.choice(sku_ids), luck.randint(1, 6)
    if sku_id == LOTTED:
        lot = luck.choice(tuple(EXPIRIES))
        return {"sku_id": sku_id, "quantity": quantity, "lot": lot, "expiry": EXPIRIES[lot]}
    if sku_id == SERIAL:
        serials = luck.sample([f"S{number}" for number in range(12)], luck.randint(1, 3))
        return {"sku_id": sku_id, "quantity": len(serials), "serials": serials}
    # A fiftieth can not be meant: nobody has less than nothing.
    quantity = -1 if luck.random() < 0.02 else quantity
    return {"sku_id": sku_id, "quantity": quantity, "unit": luck.choice(("each", "case"))}


def _goods(luck: Random) -> Json:
    many = luck.choice((1, 1, 1, 2, 12))
    return (
        _line(luck) if many == 1 else {"lines": [_line(luck, sku_ids=(PLAIN, LOTTED)) for _ in range(many)]}
    )


def _at(luck: Random, name: str = "bin_id") -> Json:
    return {name: luck.choice(BINS)}


def _between(luck: Random) -> Json:
    source, target = luck.sample(BINS, 2)
    return {"from_bin_id": source, "to_bin_id": target}


def _disposition(luck: Random, name: str = "disposition") -> Json:
    return {name: luck.choice(DISPOSITIONS)}


def _parcel(luck: Random) -> Json:
    return {"sscc": make_sscc(3, "9521234", luck.randint(1_000, 1_001))}


def _reservation(luck: Random) -> Json:
    return {"reservation_id": f"R{luck.randint(1, 4)}"}


def _promised(luck: Random) -> Json:
    line = {"sku_id": PLAIN, "quantity": luck.randint(1, 3)}
    lasting = {"expires_after_s": 5} if luck.random() < 0.5 else {}
    if luck.random() < 0.7:
        return {**_reservation(luck), **line, **lasting}
    lines = [{"reservation_id": f"B{luck.randint(1, 99)}-{place}", **line} for place in range(2)]
    return {"lines": lines, "reference": "basket", **lasting}


def _kit(luck: Random) -> Json:
    serial = f"S{luck.randint(0, 11)}"
    parts = [{"sku_id": PLAIN, "quantity": 2}, {"sku_id": SERIAL, "quantity": 1, "serials": [serial]}]
    return {"sku_id": KIT, "quantity": 1, "bin_id": BINS[0], "parts": parts}


def _pick(luck: Random, day: Day) -> Json:
    if luck.random() < 0.5:
        return {**_goods(luck), **_at(luck), "to_bin_id": BINS[1]}
    line = {"sku_id": PLAIN, "quantity": 2}
    return {**line, **_at(luck), "fulfillment_order_id": day.an_order()}


def _pack(luck: Random, day: Day) -> Json:
    if luck.random() < 0.5:
        return {"bin_id": BINS[1], **_parcel(luck), **_line(luck, sku_ids=(PLAIN, LOTTED))}
    return {"fulfillment_order_id": day.an_order()}


def _adjusted(luck: Random) -> Json:
    line = _line(luck, sku_ids=(PLAIN, LOTTED))
    sign = luck.choice((1, -1))
    return {**{k: v for k, v in line.items() if k != "quantity"}, "difference": sign * line["quantity"]}


def _basis(luck: Random) -> Json:
    return {"basis_seq": luck.randint(0, 40)} if luck.random() < 0.3 else {}


def _override(luck: Random) -> Json:
    name = {"override_id": f"O{luck.randint(1, 3)}"}
    if luck.random() < 0.3:
        return {**name, "close": True}
    hold = {"rule": "hold", "sku_id": PLAIN, "quantity": 1}
    return {**name, **hold, "expires_after_s": 60, "reason": "photo shoot"}


# What others must come before, or it could never be done.
_OFTEN = ("reserve", "pick", "pack", "ship", "unpack", "release", "post", "expire", "correct")

_BODIES: Mapping[str, Callable[[Random, Day], Json]] = {
    "receive": lambda luck, _: {**_goods(luck), **_at(luck)},
    "put_away": lambda luck, _: {**_goods(luck), **_between(luck)},
    "move": lambda luck, _: {**_goods(luck), **_between(luck), **_disposition(luck)},
    "pick": _pick,
    "pack": _pack,
    "unpack": lambda luck, _: {**_parcel(luck), **_at(luck, "to_bin_id")},
    "ship": lambda luck, _: _parcel(luck),
    "return": lambda luck, _: {**_goods(luck), **_at(luck)},
    "inspect": lambda luck, _: {**_goods(luck), **_at(luck), **_disposition(luck, "to_disposition")},
    "count_begin": lambda luck, _: _at(luck),
    "count": lambda luck, _: {**_line(luck), **_at(luck), **_disposition(luck), **_basis(luck)},
    "adjust": lambda luck, _: {**_adjusted(luck), **_at(luck), **_disposition(luck), "reason": "spilt " * 60},
    "scrap": lambda luck, _: {**_goods(luck), **_at(luck), **_disposition(luck), "reason": "broken"},
    "kit": lambda luck, _: _kit(luck),
    "unkit": lambda luck, _: _kit(luck),
    "change_disposition": lambda luck, _: {
        **_goods(luck), **_at(luck), "disposition": "sellable_accessible", "to_disposition": "damaged",
    },
    "transfer_out": lambda luck, _: {**_goods(luck), **_at(luck), "transfer_id": "T-1"},
    "transfer_in": lambda luck, _: {**_goods(luck), **_at(luck), "transfer_id": "T-1"},
    "re_identify": lambda luck, _: {
        "sku_id": PLAIN, "quantity": 1, **_at(luck), "becomes": {"sku_id": LOTTED, "lot": "L1"},
    },
    "correct": lambda luck, _: {"event": f"1/{luck.randint(3, 60)}", "reason": "typed wrong"},
    "reserve": lambda luck, _: _promised(luck),
    "release": lambda luck, _: _reservation(luck),
    "expire": lambda luck, _: _reservation(luck),
    "post": lambda luck, _: {**_reservation(luck), **_at(luck), "quantity": 1, "final": luck.random() < 0.5},
    "override": lambda luck, _: _override(luck),
}  # fmt: skip
