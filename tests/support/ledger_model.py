"""Physical ledger commands as plain counting: an obviously right model, written without the store and its recipes.

A place is ("bin", disposition), the world outside a text. `apply` takes the JSON of a command that is well formed
and says what the ledger must answer: done, or refused with nothing changed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

Place = tuple[str, str] | str
Json = dict[str, Any]

SELLABLE, IN_PROGRESS, CLOSED, RETURNED = (
    "sellable_accessible",
    "in_progress",
    "container_closed",
    "returned",
)
UNITS = {"each": 1, "case": 12}
OWNERS = {"OWNED": "brand-b"}
SERIAL_TRACKED = {"SERIAL", "BOTH"}
LOT_TRACKED = {"LOTTED", "BOTH"}
KITS = {"KIT": {"PLAIN": 2, "SERIAL": 1}}


class Impossible(Exception):  # the model's word for a command that must be refused
    """The ledger must refuse this command, and write nothing."""


@dataclass
class Leg:
    """`units` of a SKU and lot went from one place to another, these serials among them."""

    sku: str
    lot: str
    source: Place
    target: Place
    units: int
    serials: tuple[str, ...] = ()


@dataclass
class PhysicalModel:
    """All that lies and moves. `stock` counts (SKU, lot, place), the world outside too, as a debt."""

    stock: Counter[tuple[str, str, Place]] = field(default_factory=Counter)
    serial_at: dict[tuple[str, str], tuple[str, Place]] = field(default_factory=dict)
    open_differences: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    open_by_movement: dict[int, list[tuple[str, str, str, int]]] = field(default_factory=dict)
    movements: dict[int, list[Leg]] = field(default_factory=dict)
    corrected: set[int] = field(default_factory=set)
    counts: set[int] = field(default_factory=set)

    # One movement.

    def carry(self, legs: list[Leg], opened: list[tuple[str, str, str, int]]) -> list[Leg]:
        """Do the legs; a unit that the book does not have where it is taken from is found there first."""
        done: list[Leg] = []
        for leg in legs:
            if isinstance(leg.source, tuple):
                self._make_true(leg, done, opened)
            elif isinstance(leg.target, tuple):
                for serial in leg.serials:
                    if isinstance(self.serial_at.get((leg.sku, serial), ("", ""))[1], tuple):
                        raise Impossible(f"{serial} is in the node already")
            self._shift(leg, done)
        return done

    def _make_true(self, leg: Leg, done: list[Leg], opened: list[tuple[str, str, str, int]]) -> None:
        assert isinstance(leg.source, tuple)
        here = leg.source
        for serial in leg.serials:
            lot, place = self.serial_at.get((leg.sku, serial), ("", "nowhere"))
            if (lot, place) == (leg.lot, here):
                continue
            if isinstance(place, tuple) and self.stock[leg.sku, lot, place] > 0:
                opened.append((place[0], leg.sku, lot, -1))
                if lot == leg.lot:
                    self._shift(Leg(leg.sku, lot, place, here, 1, (serial,)), done)
                else:
                    self._shift(Leg(leg.sku, lot, place, "adjustment:found", 1, (serial,)), done)
                    self._shift(Leg(leg.sku, leg.lot, "adjustment:found", here, 1, (serial,)), done)
            else:
                self._shift(Leg(leg.sku, leg.lot, "adjustment:found", here, 1, (serial,)), done)
            opened.append((here[0], leg.sku, leg.lot, 1))
        missing = leg.units - self.stock[leg.sku, leg.lot, here]
        if missing > 0:
            self._shift(Leg(leg.sku, leg.lot, "adjustment:found", here, missing), done)
            opened.append((here[0], leg.sku, leg.lot, missing))

    def _shift(self, leg: Leg, done: list[Leg]) -> None:
        self.stock[leg.sku, leg.lot, leg.source] -= leg.units
        self.stock[leg.sku, leg.lot, leg.target] += leg.units
        for serial in leg.serials:
            self.serial_at[leg.sku, serial] = (leg.lot, leg.target)
        done.append(leg)

    # Commands.

    def apply(self, body: Json, seqs: list[int]) -> None:
        """Do a command whose movements the ledger has recorded as `seqs`; raises Impossible before any of it."""
        getattr(self, "_" + body["command"], self._plain)(body, seqs)

    def _record(self, seq: int, legs: list[Leg]) -> None:
        opened: list[tuple[str, str, str, int]] = []
        self.movements[seq] = self.carry(legs, opened)
        self.open_by_movement[seq] = opened
        for bin_id, sku, lot, units in opened:
            self.open_differences[bin_id, sku, lot] += units

    def _plain(self, body: Json, seqs: list[int]) -> None:
        same = {"move": ("from_bin_id", "to_bin_id"), "change_disposition": ("disposition", "to_disposition")}
        if body["command"] in same and len({body[name] for name in same[body["command"]]}) == 1:
            raise Impossible("it stays where and what it is")
        if body["command"] == "inspect" and (body["bin_id"], RETURNED) == (
            body["to_bin_id"],
            body["to_disposition"],
        ):
            raise Impossible("it stays where and what it is")
        lines = body.get("lines", [body] if "sku_id" in body else self._all_at(body))
        named = [(line["sku_id"], serial) for line in lines for serial in line.get("serials", ())]
        if len(named) > len(set(named)) or not lines:
            raise Impossible("a serial is named twice, or nothing is there")
        self._record(next(iter(seqs), 0), [_leg(body, line) for line in lines])

    def _all_at(self, body: Json) -> list[Json]:
        """The lines of a command on a whole place: pack, unpack or ship without a word about goods."""
        source = _leg(body, {"sku_id": "", "quantity": 0}).source
        return [
            {"sku_id": leg.sku, "lot": leg.lot, "quantity": leg.units, "serials": leg.serials}
            for leg in self.on_shelves()
            if leg.source == source
        ]

    def _count_begin(self, body: Json, seqs: list[int]) -> None:
        assert not seqs, "nothing is recorded"

    def moved_since(self, basis: int, at: tuple[str, str, str]) -> bool:
        """Whether goods moved at this bin, SKU and lot after an event; a count moves nothing."""
        return any(
            (place[0], leg.sku, leg.lot) == at
            for seq, legs in self.movements.items()
            if seq > basis and seq not in self.counts
            for leg in legs
            for place in (leg.source, leg.target)
            if isinstance(place, tuple)
        )

    def _count(self, body: Json, seqs: list[int]) -> None:
        place = (body["bin_id"], body.get("disposition", SELLABLE))
        sku, lot, units = body["sku_id"], body.get("lot", ""), units_of(body)
        if "basis_seq" in body and self.moved_since(body["basis_seq"], (body["bin_id"], sku, lot)):
            return
        self.counts |= set(seqs)
        named = set(body.get("serials", ()))
        here = {
            s for (of, s), (lot_of, at) in self.serial_at.items() if (of, lot_of, at) == (sku, lot, place)
        }
        steps: list[Leg] = []
        if here - named:
            steps.append(Leg(sku, lot, place, "adjustment:count", len(here - named), tuple(here - named)))
        for serial in sorted(named - here):
            lot_of, at = self.serial_at.get((sku, serial), ("", "nowhere"))
            if isinstance(at, tuple):
                steps.append(Leg(sku, lot_of, at, "adjustment:count", 1, (serial,)))
        if named - here:
            steps.append(Leg(sku, lot, "adjustment:count", place, len(named - here), tuple(named - here)))
        left = list(seqs)
        for step in steps:
            self._record(left.pop(0), [step])
        difference = units - self.stock[sku, lot, place]
        ends: tuple[Place, Place] = (
            ("adjustment:count", place) if difference > 0 else (place, "adjustment:count")
        )
        if difference:
            self._record(left.pop(0), [Leg(sku, lot, *ends, abs(difference))])
        self._close((body["bin_id"], sku, lot))

    def _close(self, key: tuple[str, str, str]) -> None:
        self.open_differences.pop(key, None)
        for seq, opened in self.open_by_movement.items():
            self.open_by_movement[seq] = [one for one in opened if one[:3] != key]

    def _adjust(self, body: Json, seqs: list[int]) -> None:
        place = (body["bin_id"], body.get("disposition", SELLABLE))
        units = body["difference"] * UNITS[body.get("unit", "each")]
        ends: tuple[Place, Place] = ("adjustment:found", place) if units > 0 else (place, "adjustment:damage")
        serials = tuple(body.get("serials", ()))
        self._record(
            seqs[0] if seqs else 0, [Leg(body["sku_id"], body.get("lot", ""), *ends, abs(units), serials)]
        )

    def _kit(self, body: Json, seqs: list[int]) -> None:
        self._record(seqs[0] if seqs else 0, [*self._parts(body, "kit"), self._whole(body, "kit")])

    def _unkit(self, body: Json, seqs: list[int]) -> None:
        self._record(seqs[0] if seqs else 0, [self._whole(body, "unkit"), *self._parts(body, "unkit")])

    def _parts(self, body: Json, command: str) -> list[Leg]:
        place = (body["bin_id"], SELLABLE)
        ends: tuple[Place, Place] = (
            (place, "transformation") if command == "kit" else ("transformation", place)
        )
        return [
            Leg(part["sku_id"], part.get("lot", ""), *ends, part["quantity"], tuple(part.get("serials", ())))
            for part in body["parts"]
        ]

    def _whole(self, body: Json, command: str) -> Leg:
        place = (body["bin_id"], SELLABLE)
        ends: tuple[Place, Place] = (
            ("transformation", place) if command == "kit" else (place, "transformation")
        )
        return Leg(body["sku_id"], "", *ends, units_of(body))

    def _re_identify(self, body: Json, seqs: list[int]) -> None:
        place = (body["bin_id"], body.get("disposition", SELLABLE))
        was, now = body, body["becomes"]
        units = units_of(was)
        self._record(
            seqs[0] if seqs else 0,
            [
                Leg(
                    was["sku_id"],
                    was.get("lot", ""),
                    place,
                    "unidentified",
                    units,
                    tuple(was.get("serials", ())),
                ),
                Leg(
                    now["sku_id"],
                    now.get("lot", ""),
                    "unidentified",
                    place,
                    units,
                    tuple(now.get("serials", ())),
                ),
            ],
        )

    def _correct(self, body: Json, seqs: list[int]) -> None:
        seq = int(body["event"].split("/")[1])
        if seq not in self.movements or seq in self.corrected:
            raise Impossible("no movement, or corrected already")
        legs = _in_the_end(self.movements[seq])
        rests = {(leg.sku, serial): (leg.lot, leg.target) for leg in legs for serial in leg.serials}
        for (sku, serial), (_lot, place) in rests.items():
            if not isinstance(place, tuple) and isinstance(self.serial_at[sku, serial][1], tuple):
                raise Impossible(f"{serial} left by it, and is back")
        if not legs:
            raise Impossible("it has moved nothing in the end")
        opened: list[tuple[str, str, str, int]] = []
        done = self._undo(legs, rests, opened)
        self.corrected.add(seq)
        for bin_id, sku, lot, units in self.open_by_movement.pop(seq):
            self.open_differences[bin_id, sku, lot] -= units
        self.movements[seqs[0]], self.open_by_movement[seqs[0]] = done, opened
        for bin_id, sku, lot, units in opened:
            self.open_differences[bin_id, sku, lot] += units

    def _undo(
        self,
        legs: list[Leg],
        rests: dict[tuple[str, str], tuple[str, Place]],
        opened: list[tuple[str, str, str, int]],
    ) -> list[Leg]:
        """Find again what has gone since, then everything goes back the way it came."""
        net: Counter[tuple[str, str, Place]] = Counter()
        for leg in legs:
            net[leg.sku, leg.lot, leg.source] -= leg.units
            net[leg.sku, leg.lot, leg.target] += leg.units
        done: list[Leg] = []
        for (sku, lot, place), units in net.items():
            if isinstance(place, tuple):
                serials = tuple(s for (of, s), at in rests.items() if of == sku and at == (lot, place))
                self._make_true(Leg(sku, lot, place, "", max(0, units), serials), done, opened)
        for leg in reversed(legs):
            self._shift(Leg(leg.sku, leg.lot, leg.target, leg.source, leg.units, leg.serials), done)
        return done

    def on_shelves(self) -> list[Leg]:
        """What lies where in the node, as the leg that would empty each place."""
        return [
            Leg(
                sku,
                lot,
                place,
                "",
                units,
                tuple(
                    sorted(s for (of, s), at in self.serial_at.items() if of == sku and at == (lot, place))
                ),
            )
            for (sku, lot, place), units in self.stock.items()
            if isinstance(place, tuple) and units > 0
        ]


def _in_the_end(legs: list[Leg]) -> list[Leg]:
    """From where to where each unit went, its stops on the way left out."""
    ends: dict[tuple[str, str, str], tuple[Place, Place]] = {}
    nameless: Counter[tuple[str, str, Place]] = Counter()
    for leg in legs:
        for serial in leg.serials:
            source, _ = ends.get((leg.sku, leg.lot, serial), (leg.source, ""))
            ends[leg.sku, leg.lot, serial] = (source, leg.target)
        if not leg.serials:
            nameless[leg.sku, leg.lot, leg.source] -= leg.units
            nameless[leg.sku, leg.lot, leg.target] += leg.units
    # Where nameless units came from does not matter: they are all alike.
    to_and_fro = [
        Leg(sku, lot, "", place, units) if units > 0 else Leg(sku, lot, place, "", -units)
        for (sku, lot, place), units in nameless.items()
        if units
    ]
    return to_and_fro + [
        Leg(sku, lot, *way, 1, (serial,)) for (sku, lot, serial), way in ends.items() if way[0] != way[1]
    ]


def units_of(line: Json) -> int:
    return int(line["quantity"]) * UNITS[line.get("unit", "each")]


def _leg(body: Json, line: Json) -> Leg:
    disposition: str = body.get("disposition", SELLABLE)
    at: str = body.get("bin_id", "DOCK")
    ends: dict[str, tuple[Place, Place]] = {
        "receive": ("supplier", (at, IN_PROGRESS)),
        "put_away": ((body.get("from_bin_id", "DOCK"), IN_PROGRESS), (body.get("to_bin_id", ""), SELLABLE)),
        "move": ((body.get("from_bin_id", ""), disposition), (body.get("to_bin_id", ""), disposition)),
        "pick": ((at, SELLABLE), (body.get("to_bin_id", ""), IN_PROGRESS)),
        "pack": ((at, IN_PROGRESS), (f"PARCEL-{body.get('sscc')}", CLOSED)),
        "unpack": ((f"PARCEL-{body.get('sscc')}", CLOSED), (body.get("to_bin_id", ""), IN_PROGRESS)),
        "ship": ((f"PARCEL-{body.get('sscc')}", CLOSED), "carrier"),
        "return": ("customer", (at, RETURNED)),
        "inspect": ((at, RETURNED), (body.get("to_bin_id", at), body.get("to_disposition", ""))),
        "scrap": ((at, disposition), "adjustment:damage"),
        "change_disposition": ((at, disposition), (at, body.get("to_disposition", ""))),
        "transfer_out": ((at, SELLABLE), f"in_transit:{body.get('transfer_id')}"),
        "transfer_in": (f"in_transit:{body.get('transfer_id')}", (at, IN_PROGRESS)),
    }
    return Leg(
        line["sku_id"],
        line.get("lot", ""),
        *ends[body["command"]],
        units_of(line),
        tuple(line.get("serials", ())),
    )


def balances_of(model: PhysicalModel) -> dict[tuple[str, str, str, str, str, str], int]:
    """The model's stock as the rows of the balance table: (sku, bin, disposition, lot, owner, external)."""
    rows: dict[tuple[str, str, str, str, str, str], int] = defaultdict(int)
    for (sku, lot, place), units in model.stock.items():
        bin_id, disposition, external = (*place, "") if isinstance(place, tuple) else ("", "", place)
        rows[sku, bin_id, disposition, lot, OWNERS.get(sku, ""), external] += units
    return {row: units for row, units in rows.items() if units}
