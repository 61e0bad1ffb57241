"""What lies under the simulated camera: pictures put into the folder that `FolderCamera` reads."""

from __future__ import annotations

from pathlib import Path

from bodega.errors import Unavailable


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

    def clear(self) -> None:
        """Take everything away."""
        for picture in self.folder.iterdir():
            picture.unlink()
