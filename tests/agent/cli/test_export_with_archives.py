"""An export tells the whole journal, wherever its events lie now."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from support.bodega_command import bodega, write_config
from support.ledger_care import archive_all, receive
from support.node_under_test import opened_store


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """Six events, and nothing archived."""

    async def fill() -> None:
        with opened_store(tmp_path) as store:
            for _ in range(3):
                await store.write(receive)

    asyncio.run(fill())
    return write_config(tmp_path)


def archive(folder: Path) -> str:
    async def work() -> str:
        with opened_store(folder) as store:
            return await archive_all(store)

    return asyncio.run(work())


def exported(node: Path, *options: str) -> list[str]:
    done = bodega(node, "ledger", "export", *options)
    assert (done.returncode, done.stderr.count("archive")) == (0, 0), done.stderr
    return done.stdout.splitlines()


def test_events_in_an_archive_are_exported_as_they_were_before(node: Path, tmp_path: Path) -> None:
    lines, late = exported(node), exported(node, "--after", "3")
    archive(tmp_path)
    assert exported(node)[: len(lines)] == lines
    assert exported(node, "--after", "3")[: len(late)] == late


def test_an_epcis_document_holds_archived_movements_with_the_same_ids(node: Path, tmp_path: Path) -> None:
    def told() -> list[dict[str, str]]:
        events: list[dict[str, str]] = json.loads("\n".join(exported(node, "--epcis")))["epcisBody"][
            "eventList"
        ]
        return events

    before = told()
    archive(tmp_path)
    assert told() == before


def test_a_missing_archive_is_said_and_one_that_was_dropped_is_counted(node: Path, tmp_path: Path) -> None:
    file = archive(tmp_path)
    (tmp_path / "archives" / file).unlink()
    missing = bodega(node, "ledger", "export")
    assert (missing.returncode, "is missing" in missing.stderr) == (66, True)

    async def drop() -> None:
        with opened_store(tmp_path) as store:
            await store.archives_dropped([file])

    asyncio.run(drop())
    document = bodega(node, "ledger", "export", "--epcis")
    assert document.returncode == 0
    assert "event of an archive that was dropped" in document.stderr
