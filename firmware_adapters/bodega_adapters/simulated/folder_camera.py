"""What lies under the simulated camera: pictures put into the folder that `FolderCamera` reads."""

from __future__ import annotations

from pathlib import Path

from bodega.errors import InvalidInput, Unavailable
from bodega_adapters.framing.check_digit import is_valid_gtin
from bodega_adapters.simulated.tray_picture import tray_picture

EAN13_DIGITS = 13


class SimulatedTray:
    """A folder with at most one picture in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def show(self, image_bytes: bytes, name: str = "frame.png") -> None:
        """Put an encoded picture under the camera; a reader sees the old one or the new one, never half of
        one.
        """
        unfinished = self.folder / f".{name}.part"
        unfinished.write_bytes(image_bytes)
        unfinished.replace(self.folder / name)
        for other in self.folder.iterdir():
            if other.name != name and not other.name.startswith("."):
                other.unlink()

    def show_file(self, file: str) -> None:
        """Put a picture from a file under the camera; raises `Unavailable` when there is none."""
        try:
            picture = Path(file).read_bytes()
        except OSError as error:
            raise Unavailable(f"no picture {file}: {error.strerror}", hint="give the path of one") from error
        self.show(picture, f"frame{Path(file).suffix}")

    def show_item(self, ean13: str | int) -> None:
        """Put an item with this EAN-13 under the camera; raises `InvalidInput` for another number."""
        digits = str(ean13)
        if not (len(digits) == EAN13_DIGITS and is_valid_gtin(digits)):
            raise InvalidInput(
                f"{digits!r} is no EAN-13 with a right check digit", hint="such as 4006381333931"
            )
        self.show(tray_picture(digits))

    def clear(self) -> None:
        """Take everything away."""
        for picture in self.folder.iterdir():
            picture.unlink()
