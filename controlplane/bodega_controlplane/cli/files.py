"""Files that a command is given: read as text, or refused in one line."""

from __future__ import annotations

from pathlib import Path

from bodega.errors import InvalidInput, NotFound
from bodega.limits import IMPORT_BYTES_MAX


def read_text(path: Path, bytes_max: int = IMPORT_BYTES_MAX) -> str:
    """The text of a UTF-8 file of at most so many bytes. Raises NotFound or InvalidInput."""
    try:
        with path.open("rb") as file:
            content = file.read(bytes_max + 1)
    except OSError as error:
        raise NotFound(
            f"{path}: {error.strerror}", hint="give the path of a file that can be read"
        ) from error
    if len(content) > bytes_max:
        raise InvalidInput(f"{path} has more than {bytes_max} bytes", hint="split it into smaller files")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidInput(
            f"{path} is not UTF-8 at line {line}", hint="save it as UTF-8 and try again"
        ) from error
