"""The folder of a run: a temporary one, or `.demo` in the present directory for a run that is kept.

Only a folder that the demo made itself is ever emptied: it carries a mark, and a lock while a run uses it.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bodega.errors import AddressInUse, Refused

KEPT = Path(".demo")
_MARK = "made-by-bodega-demo"
_SUN_PATH_CHARS_MAX = 107
# The run's folder and the longest name in it.
_SOCKET_CHARS = 48


@dataclass(slots=True)
class Folder:
    """`root` for files, `runtime` for sockets (whose paths must be short). `keep` decides at the end."""

    root: Path
    runtime: Path
    keep: bool


@contextmanager
def run_folder(*, keep: bool) -> Iterator[Folder]:
    """Make the folders of a run and remove them afterwards, but for what is to be kept."""
    runtime = Path(tempfile.mkdtemp(prefix="bodega-", dir=_short_folder()))
    try:
        if keep:
            with _kept_root() as root:
                yield Folder(root, runtime, keep)
        else:
            root = Path(tempfile.mkdtemp(prefix="bodega-demo-"))
            folder = Folder(root, runtime, keep)
            try:
                yield folder
            finally:
                if not folder.keep:
                    shutil.rmtree(root, ignore_errors=True)
    finally:
        shutil.rmtree(runtime, ignore_errors=True)


def _short_folder() -> str:
    """Where sockets can lie: their whole path is bounded (unix(7), sun_path)."""
    usual = tempfile.gettempdir()
    return usual if len(usual) + _SOCKET_CHARS <= _SUN_PATH_CHARS_MAX else "/tmp"  # noqa: S108  # a folder with a random name


@contextmanager
def _kept_root() -> Iterator[Path]:
    base = KEPT.resolve()
    mark = base / _MARK
    if base.exists() and any(base.iterdir()) and not mark.exists():
        raise Refused(f"{base} is there and was not made by the demo", hint="move it away, or run elsewhere")
    base.mkdir(exist_ok=True)
    with mark.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AddressInUse(
                f"another demo runs in {base}", hint="end it with Ctrl-C, or run this one elsewhere"
            ) from error
        root = base / "run"
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        yield root
