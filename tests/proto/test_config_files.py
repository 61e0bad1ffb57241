"""A bad configuration file names every fault at once, each with its line and key."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import field, frozen, validators

from bodega.errors import ConfigInvalid, NotFound
from bodega.host.config import line_of, load, parse


@frozen(kw_only=True)
class Printer:
    """A table of a list."""

    name: str
    port: int = field(validator=validators.and_(validators.ge(1), validators.le(65535)))


@frozen(kw_only=True)
class Settings:
    """A small file."""

    node_id: str
    rate: float = 1.0
    loud: bool = False
    folder: Path = Path("/")
    printers: list[Printer] = field(factory=list)


BAD = """rate = "fast"
bogus = 1
loud = 1

[[printers]]
name = "a"
port = 99999
[[printers]]
name = 3
prot = 9
"""


def test_every_fault_is_named_with_its_line_and_key() -> None:
    with pytest.raises(ConfigInvalid) as refusal:
        parse(BAD, Settings)
    assert [(fault.line, fault.where) for fault in refusal.value.faults] == [
        (None, "node_id"),
        (1, "rate"),
        (2, "bogus"),
        (3, "loud"),
        (7, "printers.0.port"),
        (8, "printers.1.port"),
        (9, "printers.1.name"),
        (10, "printers.1.prot"),
    ]


def test_a_good_file_becomes_a_typed_value(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text('node_id = "n"\nfolder = "/x"\n[[printers]]\nname = "p"\nport = 9100\n')
    settings = load(file, Settings)
    assert settings == Settings(node_id="n", folder=Path("/x"), printers=[Printer(name="p", port=9100)])


def test_a_file_that_is_no_toml_names_the_line() -> None:
    with pytest.raises(ConfigInvalid) as refusal:
        parse("a = 1\nb = = 2\n", Settings)
    assert refusal.value.faults[0].line == 2


def test_a_missing_file_says_how_to_name_another() -> None:
    with pytest.raises(NotFound) as refusal:
        load(Path("/nowhere/agent.toml"), Settings)
    assert "--config" in refusal.value.hint


def test_the_line_of_a_missing_key_is_its_tables_header() -> None:
    assert line_of("a = 1\n[hub]\nurl = 'x'\n", ["hub", "key"]) == 2
    assert line_of("hub.url = 'x'\n", ["hub", "url"]) == 1
    assert line_of("", ["hub"]) is None
