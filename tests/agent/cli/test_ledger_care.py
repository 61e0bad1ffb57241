"""verify, backup, restore and archive as a technician types them, beside a running agent and without one."""

from __future__ import annotations

import asyncio
import json
import subprocess
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from bodega.core.sync import Head
from bodega_agent.store.forks import export_tail
from bodega_agent.store.reader import Reader
from support.bodega_command import COMMAND, answer, bodega, running_agent, write_config
from support.ledger_care import BIN, receive, tamper
from support.node_under_test import opened_store


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A node with a small past whose agent is down."""

    async def fill() -> None:
        with opened_store(tmp_path) as store:
            for _ in range(5):
                await store.write(receive)

    asyncio.run(fill())
    return write_config(tmp_path)


def test_a_day_of_care_backup_archive_verify_stop_restore_start(config, tmp_path):
    copy = tmp_path / "copy.db"
    with running_agent(config):
        done = bodega(config, "ledger", "backup", str(copy))
        assert (done.returncode, done.stderr) == (0, "")
        assert "up to event 10, verified" in done.stdout
        assert bodega(config, "ledger", "backup", str(copy)).returncode == 1
        assert answer(config, "ledger", "backup", "--force", str(copy))["head_seq"] == 10

        (archived,) = answer(config, "ledger", "archive", "--older-than", "0")
        assert (archived["first_seq"], archived["last_seq"]) == (1, 9)
        assert answer(config, "ledger", "archive", "--older-than", "36500") == []
        assert "1 archives" in bodega(config, "ledger", "verify").stdout
        assert answer(config, "ledger", "verify", "--since-checkpoint")["from_seq"] == 10
        assert answer(config, "ledger", "verify", "--clear")["archives"] == 1
        assert bodega(config, "ledger", "verify", "--clear", "--since-checkpoint").returncode == 2

        refused = bodega(config, "ledger", "restore", str(copy), "--reason", "test")
        assert refused.returncode == 71
        assert "systemctl stop" in refused.stderr

    done = bodega(config, "ledger", "restore", str(copy), "--reason", "the disk was replaced")
    assert done.returncode == 0, done.stderr
    assert "restored up to event 10; the ledger before it ended at 11" in done.stdout
    assert answer(config, "ledger", "verify")["ok"]

    with running_agent(config):
        status = answer(config, "status")
        assert [problem["code"] for problem in status["health"]] == ["restored"]
        assert "RESTORED from a backup" in bodega(config, "status").stdout
        assert bodega(config, "status", "--check").returncode == 1
        log = answer(config, "ledger", "log", "-n", "1")
        assert log[0]["fact"] == "store_restored"


def test_restore_says_what_is_wrong_with_a_file_and_a_reason_is_needed(config, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    bodega(config, "ledger", "backup", str(tmp_path / "copy.db"))
    foreign = write_config(other)
    foreign.write_text(foreign.read_text().replace("lisbon-01", "porto-01"))
    assert bodega(foreign, "ledger", "restore", str(tmp_path / "copy.db"), "--reason", "x").returncode == 65
    assert bodega(config, "ledger", "restore", str(config), "--reason", "x").returncode == 65
    assert bodega(config, "ledger", "restore", str(tmp_path / "none.db"), "--reason", "x").returncode == 66
    assert bodega(config, "ledger", "restore", str(tmp_path / "copy.db")).returncode == 2
    assert bodega(config, "ledger", "restore", str(tmp_path / "copy.db"), "--reason", " ").returncode == 2
    with closing(apsw.Connection(str(tmp_path / "copy.db"))) as newer:
        newer.execute("PRAGMA user_version = 99")
    assert bodega(config, "ledger", "restore", str(tmp_path / "copy.db"), "--reason", "x").returncode == 76
    with closing(Reader(tmp_path / "ledger.db")) as reader:
        assert reader.meta("restored") is None


def test_a_killed_agent_checks_its_file_and_a_stopped_one_does_not(config):
    with subprocess.Popen(
        [*COMMAND, "run", "--config", str(config)], stderr=subprocess.PIPE, text=True
    ) as agent:
        assert agent.stderr is not None
        assert any(json.loads(line)["event"] == "ready" for line in agent.stderr)
        agent.kill()
    with running_agent(config):
        quick_check = answer(config, "status")["ledger"]["quick_check"]
        assert "not clean" in quick_check
        assert "check of the file" in bodega(config, "status").stdout
    with running_agent(config):
        assert answer(config, "status")["ledger"]["quick_check"] == "not needed: the last stop was clean"


def test_what_verify_finds_has_exit_1_and_what_to_do(config, tmp_path):
    tamper(tmp_path, f"UPDATE balance SET quantity = 1 WHERE bin = '{BIN}'")
    done = bodega(config, "ledger", "verify")
    assert done.returncode == 1
    assert "the balance of SKU-1 in A-01-01 is 1, its events add up to 25" in done.stdout
    assert "bodega ledger restore" in done.stdout
    refused = bodega(config, "ledger", "backup", str(tmp_path / "copy.db"))
    assert refused.returncode == 1
    assert not (tmp_path / "copy.db").exists()


def test_what_was_kept_of_a_line_that_ended_is_listed_and_read(config, tmp_path):
    assert answer(config, "ledger", "forks") == []
    assert "has never left the hub's line" in bodega(config, "ledger", "forks").stdout
    folder = tmp_path / "archives"
    folder.mkdir()
    bodega(config, "ledger", "backup", str(folder / "fork-1-2-20270115T080000Z.db"))
    with closing(Reader(tmp_path / "ledger.db")) as reader:
        path = export_tail(reader, folder, node_id="lisbon-01", after=Head(1, 8, reader.hash_at(8) or b""))
    assert path is not None
    assert {row["kind"] for row in answer(config, "ledger", "forks")} == {"events", "ledger"}
    for name, seqs in (("fork-1-2-20270115T080000Z.db", list(range(1, 11))), (path.name, [9, 10])):
        lines = bodega(config, "ledger", "forks", name).stdout.splitlines()
        assert [json.loads(line)["seq"] for line in lines] == seqs
    assert bodega(config, "ledger", "forks", "none.db").returncode == 66
