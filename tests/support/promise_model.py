"""The promise side of the ledger's model: what may be promised is counted anew each time it is asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from support.ledger_model import SELLABLE, Impossible, Json, Leg, PhysicalModel, units_of


@dataclass
class LedgerModel(PhysicalModel):
    """Stock, and the promises made of it: rights by SKU, reservations and holds by their names."""

    rights: Counter[str] = field(default_factory=Counter)
    promised: dict[str, Json] = field(default_factory=dict)
    holds: dict[str, tuple[str, int]] = field(default_factory=dict)
    clock_ms: int = 0

    def pending(self) -> dict[str, Json]:
        """Reservations that have not ended."""
        return {name: kept for name, kept in self.promised.items() if kept["pending"]}

    def available(self, sku: str) -> int:
        """What the node may promise now."""
        on_shelf = sum(n for (of, _lot, at), n in self.stock.items() if of == sku and at[1:] == (SELLABLE,))
        pending = sum(int(one["pending"]) for one in self.promised.values() if one["sku_id"] == sku)
        held = min(on_shelf, sum(units for of, units in self.holds.values() if of == sku))
        return max(0, min(self.rights[sku] - pending, on_shelf - pending - held))

    def _reserve(self, body: Json, _seqs: list[int]) -> None:
        lines = body.get("lines", [body])
        asked: Counter[str] = Counter()
        for line in lines:
            asked[line["sku_id"]] += units_of(line)
        names = [line["reservation_id"] for line in lines]
        if any(units > self.available(sku) for sku, units in asked.items()):
            raise Impossible("more than may be promised")
        if len(set(names)) < len(names) or set(names) & set(self.promised):
            raise Impossible("the name is taken")
        for line in lines:
            lasts_ms = body.get("expires_after_s", 0) * 1_000
            self.promised[line["reservation_id"]] = {
                "sku_id": line["sku_id"],
                "pending": units_of(line),
                "ends_ms": self.clock_ms + lasts_ms if lasts_ms else None,
            }

    def _release(self, body: Json, _seqs: list[int]) -> None:
        self._pending(body)["pending"] = 0

    def _expire(self, body: Json, _seqs: list[int]) -> None:
        kept = self._pending(body)
        if kept["ends_ms"] is None or self.clock_ms < kept["ends_ms"]:
            raise Impossible("it has time left")
        kept["pending"] = 0

    def _pending(self, body: Json) -> Json:
        kept = self.promised.get(body["reservation_id"], {"pending": 0})
        if not kept["pending"]:
            raise Impossible("nothing is pending there")
        return kept

    def _post(self, body: Json, seqs: list[int]) -> None:
        kept = self._pending(body)
        if body["quantity"] > kept["pending"]:
            raise Impossible("more than was reserved")
        serials = tuple(body.get("serials", ()))
        leg = Leg(
            kept["sku_id"],
            body.get("lot", ""),
            (body["bin_id"], SELLABLE),
            "customer",
            body["quantity"],
            serials,
        )
        self._record(seqs[0] if seqs else 0, [leg])
        self.rights[kept["sku_id"]] -= body["quantity"]
        kept["pending"] = 0 if body.get("final", True) else kept["pending"] - body["quantity"]

    def _override(self, body: Json, _seqs: list[int]) -> None:
        if body.get("close"):
            if not self.holds.get(body["override_id"], ("", 0))[1]:
                raise Impossible("there is no such override that is open")
            self.holds[body["override_id"]] = ("", 0)
        elif body["override_id"] in self.holds:
            raise Impossible("the name is taken")
        else:
            self.holds[body["override_id"]] = (body["sku_id"], body["quantity"])
