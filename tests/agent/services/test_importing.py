"""An import is one transaction: every row under its own id, all of them or none, and twice is once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bodega.errors import InvalidInput, Refused
from bodega.limits import LEDGER_IMPORT_FAULTS_MAX
from bodega_agent.services import importing
from bodega_agent.services.importing import ImportService
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Transaction
from support.node_under_test import BINS, HubPen, opened_store

Json = dict[str, Any]


def _count(number: int, quantity: int = 1, bin_id: str = BINS[0], sku_id: str = "SKU-1") -> Json:
    command = {"command": "count", "cmd_id": f"file-{number}", "sku_id": sku_id, "quantity": quantity}
    return {"line": number + 1, "command": {**command, "bin_id": bin_id}}


async def _import(service: ImportService, rows: list[Json], **more: Any) -> Json:
    return await service.take({"import_id": "file", "at": 0, "rows": rows, "last": True, **more})


async def _known(store: Store) -> ImportService:
    hub = HubPen(store)
    await hub.profile()
    await hub.sku(1, owner="ACME")
    return ImportService(store)


async def _facts(store: Store) -> tuple[int, int]:
    """Units on hand and events, which an import that was refused must not have changed."""
    stock, head = await store.read(Reader.stock), await store.read(Reader.head)
    return sum(row["quantity"] for row in stock), head.seq


async def test_all_rows_are_booked_in_one_commit_and_the_answer_names_their_events(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        service = await _known(store)
        answer = await _import(service, [_count(1, 3), _count(2, 4, BINS[1])])
        assert answer == {
            "rows": 2,
            "imported": 2,
            "repeated": 0,
            "first_seq": 1,
            "last_seq": 2,
            "dry_run": False,
            "faults": [],
        }
        assert await _facts(store) == (7, 2)


async def test_the_same_file_again_changes_nothing_and_says_so(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        service = await _known(store)
        rows = [_count(1, 3), _count(2, 4, BINS[1])]
        await _import(service, rows)
        answer = await _import(service, rows)
        assert (answer["imported"], answer["repeated"], answer["last_seq"]) == (0, 2, 0)
        more = await _import(service, [*rows, _count(3, 5, BINS[2])])
        assert (more["imported"], more["repeated"], more["first_seq"]) == (1, 2, 3)
        assert await _facts(store) == (12, 3)


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (_count(2, sku_id="SKU-9"), "sku_id"),
        (_count(2, bin_id="NOWHERE"), "bin_id"),
        (_count(2, quantity=-1), "quantity"),
        ({**_count(2), "owner": "ZETA"}, "owner"),
        ({"line": 3, "command": {"command": "teleport", "cmd_id": "x"}}, "command"),
        ({"line": 3, "command": None}, "row"),
    ],
)
async def test_one_bad_row_is_named_and_nothing_of_the_others_is_kept(
    tmp_path: Path, bad: Json, field: str
) -> None:
    with opened_store(tmp_path) as store:
        service = await _known(store)
        answer = await _import(service, [_count(1), bad, _count(3)])
        assert [(fault["line"], fault["field"]) for fault in answer["faults"]] == [(3, field)]
        assert answer["imported"] == 0
        assert await _facts(store) == (0, 0)
        # Nor is the name of a command used up that was undone with the others.
        assert (await _import(service, [_count(1, 8)]))["imported"] == 1


async def test_all_faults_are_told_at_once_up_to_a_bound(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        service = await _known(store)
        rows = [_count(number, bin_id="NOWHERE") for number in range(LEDGER_IMPORT_FAULTS_MAX + 50)]
        answer = await _import(service, rows)
        assert len(answer["faults"]) == LEDGER_IMPORT_FAULTS_MAX
        assert (await _import(service, [_count(900, sku_id="A"), _count(901, sku_id="B")]))["faults"][1][
            "line"
        ] == 902


async def test_the_owner_that_a_row_names_must_be_the_catalogues(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        service = await _known(store)
        assert (await _import(service, [{**_count(1), "owner": "ACME"}]))["imported"] == 1


async def test_a_dry_run_finds_the_same_faults_and_keeps_nothing(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        service = await _known(store)
        answer = await _import(service, [_count(1, 3)], dry_run=True)
        assert (answer["imported"], answer["dry_run"], answer["faults"]) == (1, True, [])
        bad = await _import(service, [_count(1, 3), _count(2, bin_id="NOWHERE")], dry_run=True)
        assert [fault["field"] for fault in bad["faults"]] == ["bin_id"]
        assert await _facts(store) == (0, 0)


async def test_a_cmd_id_that_meant_something_else_is_a_fault_of_its_row(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        service = await _known(store)
        await _import(service, [_count(1, 3)])
        answer = await _import(service, [_count(1, 4)])
        assert "was already used for something else" in answer["faults"][0]["problem"]


async def test_a_long_file_comes_in_parts_and_runs_with_the_last(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        service = await _known(store)
        part = {"import_id": "file", "at": 0, "rows": [_count(1, 3)]}
        assert await service.take(part) == {"waiting": 1}
        assert await _facts(store) == (0, 0)
        last = {"import_id": "file", "at": 1, "rows": [_count(2, 4, BINS[1])], "last": True}
        assert (await service.take(last))["imported"] == 2


async def test_a_part_that_does_not_follow_begins_nothing(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        service = await _known(store)
        await service.take({"import_id": "file", "at": 0, "rows": [_count(1)]})
        for at in (2, 1, -1, "1", None):
            with pytest.raises(InvalidInput, match="no part of an import"):
                await service.take({"import_id": "file", "at": at, "rows": [_count(2)], "last": True})
        assert await _facts(store) == (0, 0)


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"import_id": "", "at": 0, "rows": []},
        {"import_id": "x" * 65, "at": 0, "rows": []},
        {"import_id": "file", "at": 0, "rows": "many"},
        {"import_id": "file", "at": 0, "rows": [1]},
        {"import_id": "file", "at": 0, "rows": [{"command": {}}], "last": True},
        {"import_id": "file", "at": 0, "rows": [{"line": 1, "owner": 7}], "last": True},
    ],
)
async def test_a_request_that_is_no_part_is_refused(tmp_path: Path, request_: Json) -> None:
    with opened_store(tmp_path) as store, pytest.raises(InvalidInput, match="no part of an import"):
        await ImportService(store).take(request_)


async def test_what_waits_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened_store(tmp_path) as store:
        service = ImportService(store)
        for name in ("one", "two", "three"):
            await service.take({"import_id": name, "at": 0, "rows": [_count(1)]})
        with pytest.raises(InvalidInput, match="'at' must be 0"):
            await service.take({"import_id": "one", "at": 1, "rows": [_count(2)]})
        monkeypatch.setattr(importing, "LEDGER_IMPORT_ROWS_MAX", 1)
        with pytest.raises(InvalidInput, match="more than 1: split the file"):
            await service.take({"import_id": "three", "at": 1, "rows": [_count(2)]})


async def test_an_import_whose_job_runs_again_tells_each_fault_once(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        service = await _known(store)

        def refuse(_tx: Transaction) -> None:
            raise Refused("a neighbour of the same commit")

        answer, refused = await asyncio.gather(
            _import(service, [_count(1, 3), _count(2, 4, "NO-BIN")]),
            store.write(refuse),
            return_exceptions=True,
        )
        assert isinstance(refused, Refused)
        assert isinstance(answer, dict)
        assert [fault["line"] for fault in answer["faults"]] == [3]
        assert await _facts(store) == (0, 0)
