"""`bodega devices` against a real agent with simulated devices: what a technician does at the bench, word by word."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
import zxingcpp

from support.bodega_command import COMMAND, answer, bodega, write_config
from support.tapes import TAPES

SCRIPT = """
[[steps]]
at_s = 0
device = "scale"
do = "load"
args = { grams = 1250.5 }
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """`bodega run --simulate SCRIPT`, ready."""
    folder = tmp_path_factory.mktemp("simulated")
    config, script = write_config(folder), folder / "script.toml"
    script.write_text(SCRIPT)
    command = [*COMMAND, "run", "--config", str(config), "--simulate", str(script)]
    agent = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert agent.stderr is not None
    for line in agent.stderr:
        if line.startswith("{") and json.loads(line)["event"] == "ready":
            break
    # Nobody reads its log from here on, and a full pipe would stop it.
    threading.Thread(target=agent.stderr.read, daemon=True).start()
    try:
        _until_all_are_there(config)
        yield config
    finally:
        agent.terminate()
        assert agent.wait(timeout=20) == 0
        agent.stderr.close()


def _until_all_are_there(config: Path) -> None:
    for _ in range(100):
        rows = answer(config, "devices", "ls")["devices"]
        if all(row["state"] == "ok" for row in rows if row["kind"] != "camera"):
            return
    raise AssertionError(rows)


def simulate(node: Path, *what: str) -> None:
    done = bodega(node, "devices", "simulate", *what)
    assert done.returncode == 0, done.stderr


def while_it_runs(node: Path, *command: str, until: str) -> subprocess.Popen[str]:
    """A command that waits for something; returned when it has said `until`."""
    waiting = subprocess.Popen(
        [*COMMAND, *command],
        env={**os.environ, "BODEGA_CONFIG": str(node)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert waiting.stderr is not None
    assert until in waiting.stderr.readline()
    return waiting


def test_ls_shows_every_device_and_how_the_agent_hears_of_new_ones(node):
    found = answer(node, "devices", "ls")
    assert found["hotplug"] in ("udev", "kernel", "polling")
    kinds = {row["name"]: row["kind"] for row in found["devices"]}
    assert kinds.items() >= {"scanner": "scanner", "printer": "printer", "scale": "scale"}.items()
    shown = bodega(node, "devices", "ls").stdout
    assert shown.splitlines()[0].split() == ["NAME", "KIND", "DRIVER", "STATE", "SINCE", "DETAIL"]
    assert [row["name"] for row in answer(node, "status")["devices"]] == [
        row["name"] for row in found["devices"]
    ]


def test_show_tells_all_of_one_device_and_who_there_is_for_a_wrong_name(node):
    shown = bodega(node, "devices", "show", "scale").stdout
    assert "driver mt-sics" in shown
    assert "says unstable, tares" in shown
    wrong = bodega(node, "devices", "show", "ghost")
    assert wrong.returncode == 66
    assert "scanner, printer, scale" in wrong.stderr


def test_the_scale_weighs_what_the_script_put_on_it(node):
    tested = bodega(node, "devices", "test", "scale")
    assert tested.stdout.splitlines() == ["weight  1250.5 g, stable", "scale is well."]
    simulate(node, "scale", "load", "grams=99999")
    refused = bodega(node, "devices", "test", "scale")
    assert refused.returncode == 69
    assert "take something off" in refused.stderr
    simulate(node, "scale", "load", "grams=1250.5")


def test_the_camera_sees_the_item_that_is_put_under_it(node, tmp_path):
    simulate(node, "camera", "show_item", "ean13=4006381333931")
    taken = bodega(node, "devices", "snapshot", "camera", "--out", str(tmp_path / "seen.jpg"))
    assert taken.returncode == 0, taken.stderr
    [seen] = zxingcpp.read_barcodes(cv2.imread(str(tmp_path / "seen.jpg")))
    assert seen.text == "4006381333931"
    refused = bodega(node, "devices", "simulate", "camera", "show_item", "ean13=4006381333932")
    assert refused.returncode != 0
    assert "check digit" in refused.stderr


def test_a_scan_is_waited_for_and_explained(node):
    waiting = while_it_runs(node, "devices", "scan", "scanner", until="Scan now")
    simulate(node, "scanner", "scan", "text=01095011015300031728022910L-1")
    out, _err = waiting.communicate(timeout=20)
    assert waiting.returncode == 0
    assert "(01)  09501101530003" in out
    assert "lot L-1" in out
    silent = bodega(node, "devices", "test", "scanner", "--seconds", "0.2")
    assert silent.returncode == 1
    assert "Nothing was scanned" in silent.stdout


def test_an_unplugged_scanner_is_lost_and_back(node):
    simulate(node, "scanner", "unplug")
    for _ in range(100):
        if "lost" in bodega(node, "devices", "show", "scanner").stdout:
            break
    status = bodega(node, "status").stdout
    assert "problem   device-lost: scanner scanner is lost" in status
    simulate(node, "scanner", "plug")
    _until_all_are_there(node)


def test_a_test_label_is_printed_once_and_a_printer_without_paper_says_so(node):
    printed = bodega(node, "devices", "print-test", "printer")
    assert (printed.returncode, printed.stdout.split(":")[0]) == (0, "confirmed")
    simulate(node, "printer", "set", "paper_out=true")
    assert "paper" in bodega(node, "devices", "test", "printer").stdout
    refused = bodega(node, "devices", "print-test", "printer")
    assert (refused.returncode, refused.stdout.split(":")[0]) == (1, "failed")
    simulate(node, "printer", "set", "paper_out=false")


def test_a_wire_is_recorded_and_the_tape_played(node, tmp_path):
    tape = tmp_path / "scanner.tape"
    recording = while_it_runs(
        node, "devices", "record", "scanner", "--out", str(tape), "--seconds", "1.5", until="Recording"
    )
    simulate(node, "scanner", "scan", "text=A-01-02", "symbology=]C0")
    out, err = recording.communicate(timeout=20)
    assert recording.returncode == 0, err
    assert "ended after 1.5 s" in out
    assert tape.stat().st_mode & 0o077 == 0
    played = answer(node, "devices", "replay", str(tape), "--driver", "serial")
    assert [row["scan"] for row in played] == ["A-01-02"]


def test_a_recording_whose_listener_was_killed_leaves_the_wire_to_the_next_one(node, tmp_path):
    left = while_it_runs(
        node,
        "devices",
        "record",
        "scale",
        "--out",
        str(tmp_path / "a.tape"),
        "--seconds",
        "600",
        until="Recording",
    )
    left.kill()
    left.communicate()
    for _ in range(100):
        again = bodega(
            node, "devices", "record", "scale", "--out", str(tmp_path / "b.tape"), "--seconds", "0.1"
        )
        if again.returncode == 0:
            break
        assert "recorded already" in again.stderr
    assert again.returncode == 0


def test_replay_and_drivers_and_scan_need_no_agent(tmp_path):
    asleep = tmp_path / "none.toml"
    played = bodega(asleep, "devices", "replay", str(TAPES / "printer.tape"), "--driver", "zpl-tcp")
    assert 'outcome "confirmed"' in played.stdout
    known = {(row["kind"], row["driver"]): row for row in answer(asleep, "devices", "drivers")}
    assert known["scale", "mt-sics"]["recognises"]["usb"] == ["0eb8:*"]
    assert {"name": "baud", "type": "int", "default": 9600, "needed": False} in known["scanner", "serial"][
        "options"
    ]
    assert isinstance(answer(asleep, "devices", "scan"), list)


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (("replay", "none.tape", "--driver", "serial"), 66, "there is no tape"),
        (("replay", str(TAPES / "scanner.tape"), "--driver", "abacus"), 66, "no driver 'abacus'"),
        (("replay", str(TAPES / "scanner.tape"), "--driver", "serial", "--option", "baud"), 65, "NAME=VALUE"),
        (("replay", str(TAPES / "scanner.tape"), "--driver", "serial", "--option", "baud=x"), 65, "no int"),
        (("replay", sys.executable, "--driver", "serial"), 65, "tape"),
    ],
)
def test_a_wrong_replay_is_refused(tmp_path, command, code, words):
    refused = bodega(tmp_path / "none.toml", "devices", *command)
    assert refused.returncode == code, refused.stderr
    assert words in refused.stderr


def test_a_wrong_simulation_is_refused_with_what_there_is(node, tmp_path):
    for command, words in (
        (("scanner", "shout"), "it can close, plug, scan"),
        (("toaster", "scan"), "is not one of camera, printer, scale, scanner"),
        (("scale", "set", "colour=red"), "has no 'colour'"),
        (("scanner", "scan"), "missing a required argument: 'text'"),
    ):
        refused = bodega(node, "devices", "simulate", *command)
        assert refused.returncode == 65, refused.stderr
        assert words in refused.stderr
    script = tmp_path / "script.toml"
    script.write_text(SCRIPT.replace('"scale"', '"kettle"'))
    config = write_config(tmp_path)
    refused = bodega(config, "run", "--simulate", str(script))
    assert refused.returncode == 78
    assert "line 4: steps.0.device" in refused.stderr
