"""[disk] in agent.toml: all of it may be left out, and what is wrong is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bodega.errors import ConfigInvalid
from bodega.limits import BALLAST_BYTES, DISK_DROP_BELOW_BYTES, FRAMES_KEPT_BYTES_MAX
from bodega_agent.config import AgentConfig, load_config
from bodega_agent.rules.disk import DataClass
from support.tree import ROOT

HEAD = 'node_id = "lisbon-01"\nstate_dir = "/var/lib/bodega"\n'
GIB = 1024**3


def _config(folder: Path, disk: str) -> AgentConfig:
    path = folder / "agent.toml"
    path.write_text(HEAD + disk)
    return load_config(path)


def test_without_the_table_the_limits_hold(tmp_path: Path) -> None:
    limits = _config(tmp_path, "").disk.limits(64 * GIB)
    assert limits.budgets[DataClass.FRAMES] == FRAMES_KEPT_BYTES_MAX
    assert (limits.ballast_bytes, limits.drop_below_bytes) == (BALLAST_BYTES, DISK_DROP_BELOW_BYTES)


def test_the_example_says_what_holds_without_it(tmp_path: Path) -> None:
    example = load_config(ROOT / "packaging" / "examples" / "agent.toml")
    assert example.disk.limits(64 * GIB) == _config(tmp_path, "").disk.limits(64 * GIB)


def test_sizes_may_be_a_part_of_the_disk(tmp_path: Path) -> None:
    limits = _config(tmp_path, '[disk]\nframes = "10%"\ndrop_below = "5%"\n').disk.limits(100 * GIB)
    assert limits.budgets[DataClass.FRAMES] == 10 * GIB
    assert limits.drop_below_bytes == 5 * GIB


def test_every_fault_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid) as refusal:
        _config(tmp_path, '[disk]\nframes = "much"\nballast = 32\nphotos = "1 GiB"\ndrop_below = "120%"\n')
    assert [(fault.line, fault.where) for fault in refusal.value.faults] == [
        (4, "disk.frames"),
        (5, "disk.ballast"),
        (6, "disk.photos"),
        (7, "disk.drop_below"),
    ]
    assert "must be a size like '512 MiB' or '5%', is 'much'" in str(refusal.value.faults[0])


@pytest.mark.parametrize(
    ("sizes", "fault"),
    [
        (
            'drop_below = "1 GiB"\nrefuse_promises_below = "2 GiB"\n',
            "line 5: disk.refuse_promises_below: must be at most drop_below (1 GiB), is 2 GiB",
        ),
        (
            'refuse_promises_below = "2%"\nphysical_only_below = "3%"\n',
            "line 5: disk.physical_only_below: must be at most refuse_promises_below (2%), is 3%",
        ),
    ],
)
def test_the_rungs_stand_in_order(tmp_path: Path, sizes: str, fault: str) -> None:
    with pytest.raises(ConfigInvalid) as refusal:
        _config(tmp_path, f"[disk]\n{sizes}")
    assert [str(each) for each in refusal.value.faults] == [fault]
