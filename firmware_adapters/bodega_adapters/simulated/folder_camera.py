"""What lies under the simulated camera: pictures put into the folder that `FolderCamera` reads."""

from __future__ import annotations

from pathlib import Path


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

    def clear(self) -> None:
        """Take everything away."""
        for picture in self.folder.iterdir():
            picture.unlink()
