"""`bodega` without an agent: what still works, and how the rest says what to do."""

from __future__ import annotations

import json
import sqlite3
import subprocess

import pytest
from click.testing import CliRunner

from bodega.errors import Unavailable
from bodega_agent.cli import bodega_group
from support.bodega_command import COMMAND, answer, bodega, fill_ledger, write_config

READS_FILES = [
    ("tasks",),
    ("orders",),
    ("stock",),
    ("stock", "--group", "sku"),
    ("stock", "--serials"),
    ("stock", "atp"),
    ("stock", "lots"),
    ("stock", "discrepancies"),
    ("labels", "ls"),
    ("conflicts", "ls"),
    ("ledger", "log"),
    ("ledger", "log", "--sku", "SKU-1"),
    ("ledger", "explain", "SKU-1"),
    ("ledger", "verify"),
]
ASKS_AGENT = [
    ("status",),
    ("sync", "status"),
    ("sync", "pause"),
    ("sync", "resume"),
    ("sync", "resync"),
    ("devices", "ls"),
    ("devices", "show", "scanner-1"),
    ("devices", "test", "scanner-1"),
    ("devices", "scan", "scanner-1"),
    ("devices", "print-test", "printer"),
    ("devices", "snapshot", "bench", "--out", "unused.png"),
    ("devices", "record", "scanner-1", "--out", "unused.tape"),
    ("devices", "simulate", "scanner", "scan", "text=A"),
    ("floor",),
    ("ledger", "archive"),
    ("ledger", "verify", "--clear"),
    ("labels", "reprint", "0" * 18, "--reason", "torn"),
    ("labels", "confirm", "0" * 18, "--seen"),
    ("labels", "retry", "0" * 18),
]
ALL_HELP = [
    (),
    ("run",),
    ("status",),
    ("tasks",),
    ("orders",),
    ("stock",),
    ("stock", "atp"),
    ("stock", "lots"),
    ("stock", "discrepancies"),
    ("labels",),
    ("labels", "ls"),
    ("labels", "reprint"),
    ("labels", "confirm"),
    ("labels", "retry"),
    ("labels", "preview"),
    ("conflicts",),
    ("conflicts", "ls"),
    ("conflicts", "show"),
    ("ledger",),
    ("ledger", "log"),
    ("ledger", "show"),
    ("ledger", "explain"),
    ("ledger", "import"),
    ("ledger", "verify"),
    ("ledger", "backup"),
    ("ledger", "restore"),
    ("ledger", "archive"),
    ("ledger", "export"),
    ("routing",),
    ("routing", "show"),
    ("routing", "explain"),
    ("routing", "replay"),
    ("floor",),
    ("sync",),
    ("sync", "status"),
    ("sync", "pause"),
    ("sync", "resume"),
    ("sync", "resync"),
    ("devices",),
    ("devices", "ls"),
    ("devices", "show"),
    ("devices", "test"),
    ("devices", "scan"),
    ("devices", "print-test"),
    ("devices", "snapshot"),
    ("devices", "record"),
    ("devices", "replay"),
    ("devices", "drivers"),
    ("devices", "simulate"),
    ("config",),
    ("config", "check"),
]


@pytest.fixture(scope="module")
def asleep(tmp_path_factory):
    """A node whose agent is down."""
    folder = tmp_path_factory.mktemp("asleep")
    fill_ledger(folder)
    return write_config(folder)


def here(config, *command):
    """The command in this process: quicker where the process itself is not the point."""
    return CliRunner().invoke(bodega_group, command, env={"BODEGA_CONFIG": str(config)}, prog_name="bodega")


@pytest.mark.parametrize("command", ALL_HELP, ids=" ".join)
def test_every_command_teaches(command):
    shown = here("unused.toml", *command, "--help")
    assert shown.exit_code == 0, shown.output
    assert "Commands:" in shown.output or "Example" in shown.output


def test_the_first_help_lists_the_exit_codes(asleep):
    assert "Exit codes:" in bodega(asleep, "--help").stdout


@pytest.mark.parametrize("command", READS_FILES, ids=" ".join)
def test_reads_of_the_ledger_work_while_the_agent_is_down(asleep, command):
    shown = here(asleep, *command)
    assert shown.exit_code == 0
    assert shown.output
    json.loads(here(asleep, *command, "--json").output)


@pytest.mark.parametrize("command", ASKS_AGENT, ids=" ".join)
def test_what_needs_the_agent_says_how_to_start_it(asleep, command):
    refused = here(asleep, *command).exception
    assert isinstance(refused, Unavailable)
    assert "no agent answers on" in refused.message
    assert refused.hint


def test_an_agent_that_is_down_is_two_lines_and_exit_69(asleep):
    done = bodega(asleep, "status")
    assert done.returncode == 69
    assert len(done.stderr.splitlines()) == 2
    assert "start it with: systemctl start bodega-agent" in done.stderr


def test_a_command_without_a_file_names_the_file(tmp_path):
    done = bodega(tmp_path / "nowhere.toml", "status")
    assert done.returncode == 66
    assert "nowhere.toml" in done.stderr


def test_a_node_that_was_never_started_has_no_ledger(tmp_path):
    done = bodega(write_config(tmp_path), "stock")
    assert done.returncode == 66
    assert "bodega run" in done.stderr


def test_config_check_names_every_fault_with_its_line(tmp_path):
    config = write_config(tmp_path, extra='log_level = "loud"\ncolour = "red"\n')
    done = bodega(config, "config", "check", str(config))
    assert done.returncode == 78
    assert "line 3: log_level" in done.stderr
    assert "line 4: colour" in done.stderr


def test_config_check_shows_what_the_agent_would_do(asleep):
    assert "is right" in bodega(asleep, "config", "check", str(asleep)).stdout
    assert answer(asleep, "config", "check", str(asleep))["scanners"] == []


def test_run_with_a_faulty_file_ends_with_its_faults(tmp_path):
    config = write_config(tmp_path, extra='log_level = "loud"\n')
    done = bodega(config, "run")
    assert done.returncode == 78
    assert "log_level" in done.stderr


def test_a_ledger_of_a_newer_version_is_refused(tmp_path):
    config = write_config(tmp_path)
    with sqlite3.connect(tmp_path / "ledger.db") as ledger:
        ledger.execute("PRAGMA user_version=99")
    ledger.close()
    for command in (("stock",), ("ledger", "export")):
        done = bodega(config, *command)
        assert done.returncode == 76, command
        assert "newer" in done.stderr


def test_a_tampered_journal_is_found_and_said(tmp_path):
    config = write_config(tmp_path)
    fill_ledger(tmp_path)
    with sqlite3.connect(tmp_path / "ledger.db") as ledger:
        ledger.execute(
            "INSERT INTO journal(seq, cmd_id, fact, at_ms, body, hash) VALUES (1, 'x', 'movement', 1, '', '')"
        )
    ledger.close()
    done = bodega(config, "ledger", "verify")
    assert done.returncode == 1
    assert "BROKEN" in done.stdout


def test_a_wrong_option_is_wrong_usage(asleep):
    assert bodega(asleep, "stock", "--colour", "red").returncode == 2


def test_a_reader_that_goes_away_is_no_error(asleep):
    shell = f"{' '.join(COMMAND)} ledger export --config {asleep} | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "0"
    assert "Traceback" not in done.stderr
