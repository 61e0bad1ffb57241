"""A real agent with cameras: one scans, one has a password, and a person asks what they see."""

from __future__ import annotations

import pytest

from bodega.errors import ConfigInvalid, ExitCode
from bodega_adapters.simulated.folder_camera import SimulatedTray
from bodega_agent.config import load_config
from support.barcode_sheets import codes_sheet
from support.bodega_command import answer, bodega, running_agent, write_config
from support.waiting import until

CAMERAS = """
[[cameras]]
name = "tray"
driver = "folder"
options = {{ path = "{folder}/tray" }}
[[cameras]]
name = "door"
driver = "rtsp"
options = {{ url = "rtsp://tech:s3cret@127.0.0.1:9/stream" }}
[[scanners]]
name = "tray-scan"
driver = "camera"
options = {{ camera = "{through}" }}
"""


def config_of(folder, through="tray"):
    return write_config(folder, extra=CAMERAS.format(folder=folder, through=through))


async def test_what_lies_on_the_tray_is_scanned_and_seen_and_no_password_is_told(tmp_path):
    tray = SimulatedTray(tmp_path / "tray")
    tray.show(codes_sheet(b"]E04006381333931"))
    config, picture = config_of(tmp_path), tmp_path / "tray.jpg"

    def rows():
        return {row["name"]: row for row in answer(config, "devices", "ls")["devices"]}

    with running_agent(config):
        await until(lambda: bool(rows()["tray-scan"]["last"]), 60)
        await until(lambda: rows()["door"]["state"] == "lost", 60)
        seen = rows()
        taken = bodega(config, "devices", "snapshot", "tray", "--out", str(picture))
        refused = bodega(config, "devices", "snapshot", "door", "--out", str(picture))
    assert (seen["tray-scan"]["last"]["text"], seen["tray-scan"]["state"]) == ("4006381333931", "ok")
    assert taken.returncode == 0, taken.stderr
    assert picture.read_bytes()[:2] == b"\xff\xd8"
    assert refused.returncode == ExitCode.UNAVAILABLE
    assert "rtsp://127.0.0.1:9" in refused.stderr
    assert "s3cret" not in f"{seen}{taken}{refused.stdout}{refused.stderr}"


def test_a_scanner_that_looks_through_no_camera_is_refused_before_anything_starts(tmp_path):
    with pytest.raises(ConfigInvalid) as caught:
        load_config(config_of(tmp_path, through="celling"))
    assert "not in [[cameras]]: celling" in str(caught.value.faults[0])
