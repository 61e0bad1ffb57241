"""`make` on a bare machine: the bootstrap knows when it has nothing to do, and obeys the user's pip settings."""

from __future__ import annotations

from pathlib import Path

import bootstrap
import pytest


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The bootstrap, pointed at an environment of its own."""
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV_PYTHON", tmp_path / "bin" / "python")
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / "bodega-stamp")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    return tmp_path


def test_an_environment_without_a_stamp_is_not_fresh(house: Path) -> None:
    assert not bootstrap.is_fresh("demo")


def test_a_matching_stamp_makes_the_next_run_instant(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bootstrap.STAMP.write_text(f"demo {bootstrap.digest('demo')}\n")
    monkeypatch.setattr(bootstrap, "make_environment", lambda: pytest.fail("it was made again for nothing"))
    bootstrap.prepare("demo")
    assert bootstrap.is_fresh("demo")


def test_changed_requirements_or_another_set_are_installed(house: Path) -> None:
    bootstrap.STAMP.write_text("demo 0123\n")
    assert not bootstrap.is_fresh("demo")
    bootstrap.STAMP.write_text(f"demo {bootstrap.digest('demo')}\n")
    assert not bootstrap.is_fresh("dev")


def test_the_demo_is_content_with_the_larger_set_of_a_developer(house: Path) -> None:
    bootstrap.STAMP.write_text(f"dev {bootstrap.digest('dev')}\n")
    assert bootstrap.wanted_set("demo") == "dev"
    assert bootstrap.wanted_set("dev") == "dev"


def test_a_developer_gets_the_larger_set_after_the_demo(house: Path) -> None:
    bootstrap.STAMP.write_text("demo 0123\n")
    assert bootstrap.wanted_set("dev") == "dev"


def test_pip_settings_reach_uv_and_the_environment_outranks_the_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificates = tmp_path / "ca-certificates.crt"
    certificates.touch()
    monkeypatch.setattr(bootstrap, "SYSTEM_CERTIFICATES", certificates)
    listing = """global.index-url='mirror/one'
:env:.index-url='mirror/two'
:env:.find-links='/srv/wheels /srv/more'
global.extra-index-url='a b'
global.timeout='60'
install.trusted-host='inner'
"""
    assert bootstrap.as_uv_settings(listing) == {
        "UV_DEFAULT_INDEX": "mirror/two",
        "UV_FIND_LINKS": "/srv/wheels,/srv/more",
        "UV_INDEX": "a b",
        "UV_INSECURE_HOST": "inner",
        "UV_SYSTEM_CERTS": "true",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_a_machine_without_any_installer_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], house: Path
) -> None:
    for name in ("uv_from_path", "find_pip", "make_environment"):
        monkeypatch.setattr(bootstrap, name, lambda: None)
    assert bootstrap.main(["demo"]) == bootstrap.EXIT_UNAVAILABLE
    said = capsys.readouterr().err.strip().splitlines()
    assert said == ["bodega: found no uv, no pip and no ensurepip. As root: apt-get install python3-venv"]
    assert not bootstrap.STAMP.exists()


def test_an_unknown_set_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(["everything"]) == bootstrap.EXIT_USAGE
    assert "demo" in capsys.readouterr().err
