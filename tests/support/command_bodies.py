"""Hypothesis strategies for ledger commands as JSON, over the small catalogue of `ledger_model`."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bodega.core.commands import SHAPES
from bodega.core.ledger import Disposition
from bodega_adapters.framing.check_digit import make_sscc
from support.ledger_model import CLOSED, IN_PROGRESS, LOT_TRACKED, RETURNED, SELLABLE, SERIAL_TRACKED, Leg

Json = dict[str, Any]
Body = st.SearchStrategy[Json]

BINS = ("A-01", "A-02", "DOCK")
PROMISED = ("PLAIN", "SERIAL")
SSCCS = tuple(make_sscc(3, "9521234", number) for number in (1, 2))
SERIALS = ("S1", "S2", "S3", "S4")
EXPIRY = {"L1": "2027-01-31", "L2": "2027-06-30"}
DISPOSITIONS = st.sampled_from(
    [Disposition.SELLABLE, Disposition.DAMAGED, Disposition.IN_PROGRESS, Disposition.RETURNED]
).map(str)
bins = st.sampled_from(BINS)


@st.composite
def lines(draw: st.DrawFn, sku_ids: tuple[str, ...] = ("PLAIN", "OWNED", "LOTTED", "SERIAL", "BOTH")) -> Json:
    """One SKU, as its tracking wants it named."""
    sku_id = draw(st.sampled_from(sku_ids))
    line: Json = {"sku_id": sku_id, "quantity": draw(st.integers(1, 5))}
    if sku_id in LOT_TRACKED:
        line["lot"] = draw(st.sampled_from(sorted(EXPIRY)))
        line["expiry"] = EXPIRY[line["lot"]]
    if sku_id in SERIAL_TRACKED:
        line["serials"] = draw(st.lists(st.sampled_from(SERIALS), min_size=1, max_size=3, unique=True))
        line["quantity"] = len(line["serials"])
    elif draw(st.booleans()):
        line["unit"] = draw(st.sampled_from(["each", "case"]))
    return line


def _with(goods: Body, **rest: st.SearchStrategy[Any]) -> Body:
    return st.builds(lambda line, more: {**line, **more}, goods, st.fixed_dictionaries(rest))


def _goods() -> Body:
    return st.one_of(lines(), st.lists(lines(), min_size=1, max_size=3).map(lambda some: {"lines": some}))


def _counted() -> Body:
    nothing = st.sampled_from([{"sku_id": "PLAIN", "quantity": 0}, {"sku_id": "SERIAL", "quantity": 0}])
    return st.one_of(lines(), nothing)


def _adjusted() -> Body:
    def signed(line: Json, sign: int) -> Json:
        return {**{k: v for k, v in line.items() if k != "quantity"}, "difference": sign * line["quantity"]}

    return st.builds(signed, lines(), st.sampled_from([1, -1]))


def _kits(command: str) -> Body:
    def kit(serials: list[str], bin_id: str) -> Json:
        parts = [
            {"sku_id": "PLAIN", "quantity": 2 * len(serials)},
            {"sku_id": "SERIAL", "quantity": len(serials), "serials": serials},
        ]
        return {
            "command": command,
            "sku_id": "KIT",
            "quantity": len(serials),
            "bin_id": bin_id,
            "parts": parts,
        }

    return st.builds(kit, st.lists(st.sampled_from(SERIALS), min_size=1, max_size=2, unique=True), bins)


def _re_identified() -> Body:
    def other(line: Json, now: Json, bin_id: str) -> Json:
        becomes = {k: v for k, v in now.items() if k not in {"quantity", "unit"}}
        return {"sku_id": line["sku_id"], "quantity": line["quantity"], "bin_id": bin_id, "becomes": becomes}

    return st.builds(other, st.just({"sku_id": "PLAIN", "quantity": 2}), lines(("OWNED", "LOTTED")), bins)


def _reserved() -> Body:
    one = st.fixed_dictionaries(
        {
            "reservation_id": st.sampled_from([f"R{number}" for number in range(8)]),
            "sku_id": st.sampled_from(PROMISED),
            "quantity": st.integers(1, 4),
        }
    )
    basket = st.lists(one, min_size=1, max_size=3).map(lambda some: {"lines": some})
    return st.one_of(_with(basket), _with(one), _with(one, expires_after_s=st.integers(1, 5)))


def _posted() -> Body:
    return _with(
        st.builds(
            lambda serials, named: (
                {"quantity": len(serials), "serials": serials} if named else {"quantity": len(serials)}
            ),
            st.lists(st.sampled_from(SERIALS), min_size=1, max_size=2, unique=True),
            st.booleans(),
        ),
        reservation_id=st.sampled_from([f"R{number}" for number in range(8)]),
        bin_id=bins,
        final=st.booleans(),
    )


def _named(command: str, goods: Body, **rest: st.SearchStrategy[Any]) -> Body:
    return _with(goods, command=st.just(command), **rest)


PHYSICAL: dict[str, Body] = {
    "receive": _named("receive", _goods(), bin_id=bins),
    "put_away": _named("put_away", _goods(), from_bin_id=bins, to_bin_id=bins),
    "move": _named("move", _goods(), from_bin_id=bins, to_bin_id=bins, disposition=DISPOSITIONS),
    "pick": _named("pick", _goods(), bin_id=bins, to_bin_id=bins),
    "pack": _named("pack", st.one_of(_goods(), st.just({})), bin_id=bins, sscc=st.sampled_from(SSCCS)),
    "unpack": _named("unpack", st.one_of(_goods(), st.just({})), sscc=st.sampled_from(SSCCS), to_bin_id=bins),
    "ship": _named("ship", st.one_of(_goods(), st.just({})), sscc=st.sampled_from(SSCCS)),
    "return": _named("return", _goods(), bin_id=bins),
    "inspect": _named("inspect", _goods(), bin_id=bins, to_bin_id=bins, to_disposition=DISPOSITIONS),
    "count_begin": _named("count_begin", st.just({}), bin_id=bins),
    "count": _named("count", _counted(), bin_id=bins, disposition=DISPOSITIONS),
    "adjust": _named("adjust", _adjusted(), bin_id=bins, disposition=DISPOSITIONS, reason=st.just("spilt")),
    "scrap": _named("scrap", _goods(), bin_id=bins, disposition=DISPOSITIONS, reason=st.just("broken")),
    "kit": _kits("kit"),
    "unkit": _kits("unkit"),
    "change_disposition": _named(
        "change_disposition", _goods(), bin_id=bins, disposition=DISPOSITIONS, to_disposition=DISPOSITIONS
    ),
    "transfer_out": _named("transfer_out", _goods(), bin_id=bins, transfer_id=st.just("T-1")),
    "transfer_in": _named("transfer_in", _goods(), bin_id=bins, transfer_id=st.just("T-1")),
    "re_identify": _named("re_identify", _re_identified()),
}
PROMISES: dict[str, Body] = {
    "reserve": _named("reserve", _reserved()),
    "release": _named(
        "release", st.just({}), reservation_id=st.sampled_from([f"R{number}" for number in range(8)])
    ),
    "expire": _named(
        "expire", st.just({}), reservation_id=st.sampled_from([f"R{number}" for number in range(8)])
    ),
    "post": _named("post", _posted()),
    "override": st.one_of(
        _named(
            "override",
            st.just({"sku_id": "PLAIN", "rule": "hold", "reason": "photo shoot", "expires_after_s": 3600}),
            override_id=st.sampled_from(["O1", "O2"]),
            quantity=st.integers(1, 5),
        ),
        _named("override", st.just({"close": True}), override_id=st.sampled_from(["O1", "O2"])),
    ),
}

# Which commands take goods of a disposition from where they are.
_TAKES = {
    SELLABLE: ("move", "pick", "scrap", "transfer_out", "change_disposition", "count", "adjust"),
    IN_PROGRESS: ("put_away", "pack", "move", "change_disposition"),
    RETURNED: ("inspect", "scrap", "move", "count"),
    CLOSED: ("ship", "unpack"),
}
_ANYWHERE = ("move", "scrap", "change_disposition", "count")


@st.composite
def taking(draw: st.DrawFn, there: list[Leg]) -> Json:
    """A command about goods that lie somewhere, all of them or some."""
    leg = draw(st.sampled_from(there))
    assert isinstance(leg.source, tuple), "goods in the node lie in a bin"
    bin_id, disposition = leg.source
    units = draw(st.integers(1, min(leg.units, 12)))
    line: Json = {"sku_id": leg.sku, "quantity": units}
    if leg.lot:
        line["lot"] = leg.lot
    if leg.serials:
        line["serials"] = list(leg.serials[:units])
        line["quantity"] = len(line["serials"])
    command = draw(st.sampled_from(_TAKES.get(disposition, _ANYWHERE)))
    if command == "adjust":
        line["difference"] = -line.pop("quantity")
    if command in {"ship", "unpack"}:
        line["sscc"] = bin_id.removeprefix("PARCEL-")
    else:
        line["from_bin_id" if command in {"move", "put_away"} else "bin_id"] = bin_id
    fields: Json = {
        "disposition": disposition,
        "to_disposition": draw(DISPOSITIONS),
        "to_bin_id": draw(bins),
        "reason": "broken",
        "transfer_id": "T-1",
        "sscc": draw(st.sampled_from(SSCCS)),
    }
    wanted = {field.name for field in SHAPES[command].fields}
    return {**{name: value for name, value in fields.items() if name in wanted}, **line, "command": command}


@st.composite
def reserving(draw: st.DrawFn, free: dict[str, int], name: str) -> Json:
    """A promise of what may be promised: all of it, a part, or one unit too many in two lines."""
    sku_id = draw(st.sampled_from(sorted(free)))
    first, more = draw(st.integers(1, free[sku_id])), draw(st.integers(0, 3))
    body: Json = {"command": "reserve"}
    if draw(st.booleans()):
        body["expires_after_s"] = draw(st.integers(1, 5))
    line = {"reservation_id": name, "sku_id": sku_id, "quantity": first}
    if not more:
        return {**body, **line}
    second = {"reservation_id": name + "b", "sku_id": sku_id, "quantity": more}
    return {**body, "lines": [line, second]}


@st.composite
def settling(draw: st.DrawFn, pending: dict[str, Json]) -> Json:
    """A pending promise is posted, released, or ended by the clock."""
    name = draw(st.sampled_from(sorted(pending)))
    command = draw(st.sampled_from(["post", "post", "release", "expire"]))
    body: Json = {"command": command, "reservation_id": name}
    if command != "post":
        return body
    kept = pending[name]
    units = draw(st.integers(1, kept["pending"]))
    if kept["sku_id"] in SERIAL_TRACKED:
        units = min(units, len(SERIALS))
        body["serials"] = draw(st.permutations(SERIALS))[:units]
    return {**body, "quantity": units, "bin_id": draw(bins), "final": draw(st.booleans())}
