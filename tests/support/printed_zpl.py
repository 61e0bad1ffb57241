"""ZPL as a printer would draw it, by somebody else's program: npm's zpl-renderer-js, in one process for all tests.

It is installed from the pinned lock file on first use, with the user's own npm settings. Without Node.js the tests that
ask for it are skipped and say so; with BODEGA_REQUIRE_NODE=1 (as in CI) they fail instead.
"""

from __future__ import annotations

import base64
import fcntl
import io
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

FOLDER = Path(__file__).parent / "zpl_renderer"
INSTALLED = FOLDER / "node_modules" / "zpl-renderer-js" / "package.json"


class ZplRenderer:
    """One Node.js process that answers line by line."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["node", str(FOLDER / "render.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def draw(self, zpl: bytes, size_mm: tuple[float, float], dots_per_mm: int) -> Image.Image:
        """The label in greys, black 0."""
        width_mm, height_mm = size_mm
        question = {
            "zpl": zpl.decode("ascii"),
            "width_mm": width_mm,
            "height_mm": height_mm,
            "dots_per_mm": dots_per_mm,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "png" in answer, answer
        return Image.open(io.BytesIO(base64.b64decode(answer["png"]))).convert("L")

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=10)


def _install() -> None:
    with (FOLDER / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not INSTALLED.is_file():
            command = ["npm", "ci", "--omit=dev", "--no-audit", "--no-fund"]
            done = subprocess.run(
                command, cwd=FOLDER, capture_output=True, text=True, timeout=100, check=False
            )
            if done.returncode:
                pytest.fail(f"npm could not install the ZPL renderer: {done.stderr[-2000:]}")


@pytest.fixture(scope="session")
def zpl_renderer() -> Iterator[ZplRenderer]:
    """The judge of our ZPL."""
    missing = [program for program in ("node", "npm") if shutil.which(program) is None]
    if missing:
        reason = f"there is no {' and no '.join(missing)} here (Debian: apt-get install nodejs npm)"
        if os.environ.get("BODEGA_REQUIRE_NODE") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    _install()
    renderer = ZplRenderer()
    yield renderer
    renderer.close()


def read_back(picture: Image.Image) -> dict[bytes, str]:
    """Every barcode that zxing-cpp finds: its bytes, with GS where FNC1 separates, and its AIM identifier."""
    return {bytes(one.bytes): one.symbology_identifier for one in zxingcpp.read_barcodes(picture)}


def ink_outside(picture: Image.Image, box: tuple[int, int, int, int]) -> int:
    """Black dots outside (left, top, right, bottom)."""
    dark = picture.point(lambda value: 1 if value < 128 else 0)
    return dark.histogram()[1] - dark.crop(box).histogram()[1]
