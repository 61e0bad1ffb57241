"""`bodega labels sheet`: every word, bin and badge reads back from the paper as itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from bodega.errors import InvalidInput
from bodega_agent.cli.labels_sheet import sheet
from bodega_agent.rules.floor.scans import CONTROL_WORDS
from bodega_agent.rules.floor.words import WORDS
from support.associates import ANA_BADGE, PEOPLE, RUI_BADGE
from support.bodega_command import write_config
from support.node_under_test import BINS, HubPen, opened_store
from support.printed_zpl import read_back


def read_all(folder: Path, *arguments: str) -> set[str]:
    done = CliRunner().invoke(
        sheet, [*arguments, "--json", "--out", str(folder / "s.png")], catch_exceptions=False
    )
    told = json.loads(done.output)
    read = {text.decode() for page in told["pages"] for text in read_back(Image.open(page))}
    assert len(read) == told["codes"]
    return read


def test_every_word_of_the_floor_reads_back(tmp_path: Path) -> None:
    assert read_all(tmp_path) == {*CONTROL_WORDS, *WORDS}


async def test_bins_and_badges_are_the_nodes_own(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await HubPen(store).profile(associates=PEOPLE)
    config = str(write_config(tmp_path))
    assert read_all(tmp_path, "--config", config, "--of", "bins") == set(BINS)
    assert read_all(tmp_path, "--config", config, "--of", "badges") == {ANA_BADGE, RUI_BADGE}


async def test_a_node_without_people_has_no_sheet_of_badges(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await HubPen(store).profile()
    with pytest.raises(InvalidInput, match="no badges"):
        read_all(tmp_path, "--config", str(write_config(tmp_path)), "--of", "badges")


def test_a_sheet_may_be_a_pdf_and_nothing_stranger(tmp_path: Path) -> None:
    out = tmp_path / "words.pdf"
    assert CliRunner().invoke(sheet, ["--out", str(out)]).exit_code == 0
    assert (tmp_path / "words-1.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(InvalidInput, match=r"words\.doc"):
        CliRunner().invoke(sheet, ["--out", "words.doc"], catch_exceptions=False)
