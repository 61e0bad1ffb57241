"""What a person sees while the demo runs: a bar on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
import time
from typing import Any

CHAPTERS = 10


class Progress:
    """Chapters as they begin, and orders as they end. On a terminal the bar is drawn on standard error."""

    def __init__(self) -> None:
        self._started_s = time.monotonic()
        self._bar: Any = None
        self._task: Any = None
        self._orders = ""
        self._text = ""

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from rich.console import Console  # noqa: PLC0415 (only on a terminal)
            from rich.progress import BarColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415 (only on a terminal)
            from rich.progress import Progress as Bar  # noqa: PLC0415 (only on a terminal)

            columns = (TimeElapsedColumn(), BarColumn(bar_width=24), TextColumn("{task.description}"))
            self._bar = Bar(*columns, console=Console(stderr=True))
            self._task = self._bar.add_task("starting", total=CHAPTERS)
            self._bar.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop drawing; safe to call twice."""
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.stop()

    def chapter(self, text: str) -> None:
        """Something new begins."""
        self._text = text
        if self._bar is None:
            print(f"{time.monotonic() - self._started_s:6.1f} s  {text}", file=sys.stderr, flush=True)  # noqa: T201 (the terminal is its output)
        else:
            self._bar.update(self._task, advance=1, description=text)

    def orders(self, done: int, total: int) -> None:
        """So many of the orders have ended; shown on a terminal only."""
        if self._bar is not None:
            self._bar.update(self._task, description=f"{self._text}: {done} of {total}")
