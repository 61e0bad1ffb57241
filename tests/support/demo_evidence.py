"""A small, true piece of evidence: one node, three orders, and every witness telling the same story.

Goods: ten of A and two of B come in; one B is stolen. Order 1 ships three A. Order 2 wants two B and gets one.
Order 3 is cancelled after a unit was picked, and the unit is put back. A fourth wish asks too much.
"""

from __future__ import annotations

from dataclasses import replace

from bodega.codec import movement_to_wire
from bodega.core.chain import GENESIS, extend
from bodega.core.ledger import DOCK, Account, Goods, Movement, fold, parcel_place, stage_of
from bodega.core.recipes import Book, Places, book
from bodega.core.sync import Envelope
from bodega.v1 import journal_pb2, orders_pb2
from bodega_agent.demo.evidence import (
    Centre,
    Evidence,
    Floor,
    Ledger,
    Line,
    Order,
    Row,
    Site,
    Till,
    Wire,
    Work,
)
from bodega_agent.demo.plan import OrderPlan
from bodega_agent.demo.proxy import Outage
from bodega_agent.demo.scenario import make_plan
from bodega_agent.demo.shop import Answer, Receipt

NODE = "lisbon-01"
BIN_A, BIN_B = "A-01-01", "A-02-01"
SSCC_1, SSCC_2 = "095212340000000011", "095212340000000028"
START_MS, LAG_MS = 1_000_000, 20
USED_MS = START_MS + 12_050
CUT = Outage(began_ms=START_MS + 10_000, healed_ms=START_MS + 12_000, used_ms=USED_MS)


def _story() -> list[Movement]:
    moves: list[Movement] = []

    def do(command: str, sku_id: str, quantity: int, *, source_bin: str = "", target_bin: str = "") -> None:
        goods = [Goods(sku_id, quantity)]
        booked = book(command, goods, Book(fold(moves)), Places(source_bin, target_bin))
        assert not booked.discrepancies, "the story is true: nothing has to be found"
        moves.append(booked.movement)

    for sku_id, quantity, bin_id in (("A", 10, BIN_A), ("B", 2, BIN_B)):
        do("receive", sku_id, quantity, target_bin=DOCK)
        do("put_away", sku_id, quantity, source_bin=DOCK, target_bin=bin_id)
    do("pick", "A", 3, source_bin=BIN_A, target_bin=stage_of("f1"))
    do("pack", "A", 3, source_bin=stage_of("f1"), target_bin=parcel_place(SSCC_1))
    do("ship", "A", 3, source_bin=parcel_place(SSCC_1))
    do("pick", "B", 1, source_bin=BIN_B, target_bin=stage_of("f2"))
    do("count_down", "B", 1, source_bin=BIN_B)
    do("pack", "B", 1, source_bin=stage_of("f2"), target_bin=parcel_place(SSCC_2))
    do("ship", "B", 1, source_bin=parcel_place(SSCC_2))
    do("pick", "A", 1, source_bin=BIN_A, target_bin=stage_of("f3"))
    do("put_away", "A", 1, source_bin=stage_of("f3"), target_bin=BIN_A)
    return moves


def rows_of(bodies: list[bytes], *, committed: bool = False) -> tuple[Row, ...]:
    """A journal of these bodies, one event a second."""
    return tuple(
        Row(
            epoch=1,
            seq=seq,
            hash=chain_hash,
            body=body,
            fact="movement",
            cmd_id=f"c{seq}",
            at_ms=START_MS + seq * 1000,
            committed_ms=_committed_ms(START_MS + seq * 1000) if committed else 0,
        )
        for seq, (body, chain_hash) in enumerate(zip(bodies, extend(GENESIS, bodies), strict=True), start=1)
    )


def _committed_ms(at_ms: int) -> int:
    return USED_MS + LAG_MS if CUT.began_ms <= at_ms < USED_MS else at_ms + LAG_MS


def envelope_of(rows: tuple[Row, ...]) -> Envelope:
    """All rows in one envelope."""
    return Envelope(NODE, 1, 1, GENESIS, tuple(row.body for row in rows), rows[-1].hash)


def _orders() -> tuple[Order, ...]:
    return (
        Order("o1", "web-1", "shipped", NODE, (Line(1, "A", 3, 0, shipped=3),)),
        Order("o2", "web-2", "partially_shipped", NODE, (Line(1, "B", 2, 1, shipped=1),)),
        Order("o3", "web-3", "cancelled", NODE, (Line(1, "A", 2, 0),)),
    )


def _works() -> tuple[Work, ...]:
    return (
        Work("f1", "o1", "shipped", SSCC_1),
        Work("f2", "o2", "shipped", SSCC_2),
        Work("f3", "o3", "cancelled", ""),
    )


def _floor() -> Floor:
    return Floor(
        bins={(BIN_A, "A"): 7},
        taken={(BIN_B, "B"): 1},
        reported_empty=frozenset({(BIN_B, "B")}),
        unloaded={"A": 10, "B": 2},
        shipped={"A": 3, "B": 1},
        dock={},
        stages={},
        parcels={"f1": {"A": 3}, "f2": {"B": 1}},
        labels=(SSCC_1, SSCC_2),
    )


def _receipts() -> tuple[Receipt, ...]:
    wishes = [
        OrderPlan(f"web-{n}", f"k{n}", 0, ((sku_id, units),))
        for n, (sku_id, units) in enumerate((("A", 3), ("B", 2), ("A", 2)), start=1)
    ]
    taken = [Receipt(wish, (Answer(201, f"o{n}"),)) for n, wish in enumerate(wishes, start=1)]
    taken[0] = replace(taken[0], answers=(Answer(201, "o1"), Answer(201, "o1", replayed=True)))
    taken[2] = replace(taken[2], cancel_status=202)
    refused = OrderPlan("beyond-1", "k4", 0, (("A", 1_000),))
    return (*taken, Receipt(refused, (Answer(409, code="insufficient-stock"),)))


def true_evidence() -> Evidence:
    """See the module's text; every rule holds on it."""
    moves = _story()
    balances: dict[Account, int] = fold(moves)
    own = rows_of(
        [journal_pb2.NodeEvent(movement=movement_to_wire(move)).SerializeToString() for move in moves]
    )
    hub = rows_of([row.body for row in own], committed=True)
    down = rows_of(
        [
            journal_pb2.HubEvent(
                fulfillment_order=orders_pb2.FulfillmentOrder(fulfillment_order_id=f"f{n}")
            ).SerializeToString()
            for n in (1, 2, 3)
        ]
    )
    receipts = _receipts()
    plan = make_plan(orders=10, nodes=1, seed=1)
    plan = replace(
        plan, orders=tuple(r.order for r in receipts[:3]), race=(), race_units=0, beyond=(receipts[3].order,)
    )
    return Evidence(
        plan=plan,
        sites=(
            Site(
                NODE,
                _floor(),
                Ledger(own, balances, _works(), acked_seq=len(own), down_seq=3, verified=True, kept=own[:5]),
                cuts=(CUT,),
            ),
        ),
        centre=Centre(
            journals={NODE: hub},
            stock={NODE: balances},
            down_logs={NODE: down},
            applied_seq={NODE: len(own)},
            down_applied_seq={NODE: 3},
            orders=_orders(),
            works=_works(),
            open_reservations=0,
            refused_envelopes=0,
            audit_entries=9,
            audit_first_bad_seq=0,
        ),
        wire=Wire({NODE: (envelope_of(own),)}, {NODE: (envelope_of(down),)}),
        till=Till(receipts, _orders()),
    )
