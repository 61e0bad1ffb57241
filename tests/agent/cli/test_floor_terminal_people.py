"""A node where people sign in, on a real pseudo-terminal: hidden PINs, sounds, narrow screens; and its figures."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bodega_agent.cli.floor import TYPED_WORDS
from bodega_agent.rules.floor.words import WORDS
from support.associates import ANA_PIN, PEOPLE, RUI_BADGE
from support.bodega_command import answer, bodega, running_agent, write_config
from support.node_under_test import BINS, HubPen, opened_store, scan_text
from support.terminal import Screen


async def _fill(folder: Path) -> None:
    with opened_store(folder) as store:
        hub = HubPen(store)
        await hub.profile(associates=PEOPLE)
        await hub.sku(1)


@pytest.fixture(scope="module")
def staffed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The configuration of a running agent with people."""
    folder = tmp_path_factory.mktemp("staffed")
    asyncio.run(_fill(folder))
    config = write_config(folder)
    with running_agent(config):
        yield config


def test_a_pin_is_typed_unseen_and_what_comes_after_it_is_seen(staffed: Path) -> None:
    screen = Screen(staffed, "lane-1")
    screen.wait_for("? Scan your badge, or type your name.")
    screen.type("ana\n")
    screen.wait_for("PIN of Ana?")
    screen.type(f"{ANA_PIN}\n")
    screen.wait_for("Hello, Ana. Ready.")
    assert ANA_PIN not in screen.seen
    screen.type("receive\n")
    screen.wait_for("Receiving")
    assert "receive\r\n" in screen.seen, "the echo is on again"
    screen.type(f"{scan_text(1)}\n")
    screen.wait_for("Product 1")
    screen.type("done\n")
    screen.wait_for("Ready.")
    screen.type("help\n")
    screen.wait_for("Answers:")
    assert screen.close() == 0


def test_right_and_wrong_sound_different(staffed: Path) -> None:
    screen = Screen(staffed, "lane-2", "--sound", "both")
    screen.wait_for("type your name.")
    assert "\a" not in screen.seen, "nothing was scanned yet"
    screen.type("dance\n")
    screen.wait_for("\a\a\a! Nobody is signed in here.")
    screen.type(f"{RUI_BADGE}\n")
    screen.wait_for("\a  Hello, Rui.")
    assert "\a\a  Hello" not in screen.seen
    assert screen.close() == 0
    tones = Screen(staffed, "lane-3", "--sound", "tones")
    tones.type("dance\n")
    tones.wait_for("\x1b[10;220]\x1b[11;400]\a\x1b[10]\x1b[11]! Nobody")
    assert tones.close() == 0


def test_a_prompt_fits_a_narrow_terminal_without_cutting_words(staffed: Path) -> None:
    screen = Screen(staffed, "lane-4", columns=34)
    screen.wait_for("name.")
    screen.type("dance\n")
    screen.wait_for("! Nobody is signed in here. Scan\r\n  your badge, or type your name.")
    lines = screen.seen.replace("\a", "").split("\r\n")
    assert max(map(len, lines)) < 34
    assert screen.close() == 0


def test_a_pipe_signs_in_too_and_gets_whole_lines(staffed: Path) -> None:
    done = bodega(staffed, "floor", "--device", "lane-5", stdin=f"{RUI_BADGE}\nsignout\n")
    assert done.returncode == 0, done.stderr
    assert "\n  Hello, Rui. " in done.stdout
    assert "\n? Goodbye, Rui. Scan your badge, or type your name.\n" in done.stdout
    assert "\a" not in done.stdout


def test_the_journal_and_the_figures_say_who(staffed: Path) -> None:
    told = answer(staffed, "ledger", "log", "--limit", "1000")
    assert any(event["event"]["actor"] == "ana" and "movement" in event["event"] for event in told)
    assert "rui signed out" in bodega(staffed, "ledger", "log").stdout
    figures = answer(staffed, "kpis", "--hours", "1")
    assert figures["queues"]["units to put away"] == 1
    assert figures["picking"]["units_per_hour"] is None
    shown = bodega(staffed, "kpis").stdout
    assert "units to put away" in shown
    assert "pick rate - units/h" in shown


def test_no_word_that_starts_something_is_also_an_answer() -> None:
    assert not TYPED_WORDS.keys() & WORDS.keys()
    assert BINS[0].lower() not in TYPED_WORDS
