"""The rules of recovery as tables: every fact has a fate, every row says what it must."""

from __future__ import annotations

import pytest

from bodega.core.conflicts.cloned_node import cloned_node
from bodega.core.conflicts.restored_hub import restored_hub
from bodega.core.conflicts.restored_node import FATES, Fate, Reckoning, fate_of, restored_node
from bodega.core.conflicts.table import CASES
from bodega.core.session import Fenced, after_hub_went_back
from bodega.core.sync import Head, Outbound
from bodega.limits import CONFLICT_EFFECTS_MAX
from bodega.v1 import journal_pb2

ANCESTOR, FORK, BASIS = Head(1, 10, b"a" * 32), Head(1, 14, b"f" * 32), Head(1, 12, b"b" * 32)


def test_goods_are_kept_promises_are_checked_and_rights_move_by_the_hub_alone() -> None:
    assert FATES["movement"].fate is Fate.KEEP
    assert FATES["reservation_changed"].fate is Fate.RECHECK
    assert {FATES[fact].fate for fact in ("rights_taken", "rights_returned", "ledger_checkpoint")} == {
        Fate.DROP
    }
    assert all(rule.why for rule in FATES.values())


def test_every_fact_of_a_journal_has_a_fate() -> None:
    facts = journal_pb2.NodeEvent.DESCRIPTOR.oneofs_by_name["fact"].fields
    assert FATES.keys() == {field.name for field in facts}


def test_a_command_whose_effect_the_hub_has_is_dropped_whatever_it_was() -> None:
    assert fate_of("movement", "cmd-1", {"cmd-1"}).fate is Fate.DROP
    assert fate_of("movement", "cmd-2", {"cmd-1"}).fate is Fate.KEEP


def test_a_fact_of_a_newer_version_is_left_in_the_old_file() -> None:
    rule = fate_of("unknown", "cmd-1", ())
    assert (rule.fate, "old file" in rule.why) == (Fate.DROP, True)


def _row(reckoning: Reckoning) -> object:
    return restored_node(
        node_id="lisbon-01",
        reason="restored",
        ancestor=ANCESTOR,
        fork=FORK,
        basis=BASIS,
        reckoning=reckoning,
        kept_in="archives/fork-1-2.db",
    )


def test_the_row_of_a_recovery_names_both_lines_the_file_and_what_a_person_must_do() -> None:
    reckoning = Reckoning(kept=3, dropped=1)
    reckoning.voided("R-1", 4)
    reckoning.unfit("FO-1", "shipped")
    reckoning.doubled("3" * 18)
    row = _row(reckoning)
    assert row.rule == CASES["restored_node"].rule == "restored_node@1"
    assert all(words in row.knew for words in ("events 11 to 14", "ends at 12"))
    assert all(words in row.effect for words in ("3 events hold", "1 promises are void"))
    assert "archives/fork-1-2.db" in row.undo
    assert all(word in row.needs for word in ("R-1", "FO-1", "two parcels carry"))
    assert row.conflict_id == _row(Reckoning()).conflict_id, "the same meeting is the same row"
    assert _row(Reckoning()).needs == ""


def test_a_row_stays_small_however_much_there_was() -> None:
    reckoning = Reckoning()
    for number in range(10 * CONFLICT_EFFECTS_MAX):
        reckoning.voided(f"R-{number}", 1)
    row = _row(reckoning)
    assert len(row.effects) == CONFLICT_EFFECTS_MAX
    assert row.needs.count(";") == CONFLICT_EFFECTS_MAX - 1


def test_two_clones_are_one_row_in_any_order_and_a_person_stops_one() -> None:
    one = cloned_node(node_id="lisbon-01", nonces=("b" * 32, "a" * 32), evidence="x")
    assert one == cloned_node(node_id="lisbon-01", nonces=("a" * 32, "b" * 32), evidence="x")
    assert all(nonce in one.knew for nonce in ("aaaaaaaa", "bbbbbbbb"))
    assert one.needs == "stop one of the two agents"
    assert "bodegactl nodes readmit lisbon-01" in one.undo


def test_a_forgotten_order_is_one_row_in_each_stream_of_the_hub() -> None:
    def row(epoch: int) -> object:
        return restored_hub(
            node_id="lisbon-01", order_id="O-1", fulfillment_order_id="F-1", state="picking", down_epoch=epoch
        )

    assert row(2) == row(2)
    assert row(2).conflict_id != row(3).conflict_id
    assert (row(2).order_id, bool(row(2).needs)) == ("O-1", True)


@pytest.mark.parametrize(
    ("own", "expected"), [(b"a" * 32, Outbound(ANCESTOR, ANCESTOR)), (b"x" * 32, "copy"), (None, "not here")]
)
def test_a_hub_that_went_back_is_followed_only_on_the_same_line(own: bytes | None, expected: object) -> None:
    result = after_hub_went_back(ANCESTOR, own)
    if isinstance(result, Fenced):
        assert str(expected) in result.reason
    else:
        assert result == expected
