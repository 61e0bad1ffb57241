"""What a person at a line-mode terminal sees and hears: prompts that fit its width, sounds, and hidden PINs.

Nothing here needs more of a terminal than that it prints characters and rings a bell.
"""

from __future__ import annotations

import os
import shutil
import sys
import termios
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

BELL = "\a"
_MARKS = {"ok": " ", "error": "!", "ask": "?"}
# Narrower ones cut words; no terminal that a person reads is.
_WIDTH_MIN = 16

# A Linux console, and some terminals, let the bell have a pitch and a length; the others ignore it and ring as ever.
_HIGH, _LOW, _AS_EVER = "\x1b[10;1400]\x1b[11;80]", "\x1b[10;220]\x1b[11;400]", "\x1b[10]\x1b[11]"

# By name and tone: what goes to a terminal before the text. Right and wrong sound different in all but "wrong".
SOUNDS: Mapping[str, Mapping[str, str]] = {
    "wrong": {"error": BELL},
    "both": {"ok": BELL, "ask": BELL, "error": BELL * 3},
    "tones": {
        "ok": f"{_HIGH}{BELL}{_AS_EVER}",
        "ask": f"{_HIGH}{BELL}{_AS_EVER}",
        "error": f"{_LOW}{BELL}{_AS_EVER}",
    },
    "off": {},
}

Prompt = dict[str, Any]


class Screen:
    """Standard output as a terminal or a pipe. A pipe gets whole lines and no sound."""

    def __init__(self, sound: str) -> None:
        self._sounds = SOUNDS[sound]
        self._is_terminal = sys.stdout.isatty()
        # A name with letters that a cheap terminal does not have must not end the work.
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")

    def show(self, prompt: Prompt, *, heard: bool) -> None:
        """A prompt with its details; `heard`: with its sound."""
        sound = self._sounds.get(prompt["tone"], "") if heard and self._is_terminal else ""
        click.echo(sound + self._wrapped(f"{_MARKS[prompt['tone']]} ", prompt["text"]))
        for detail in prompt["detail"]:
            click.echo(self._wrapped("    ", detail))

    def say(self, text: str) -> None:
        """Something of the terminal's own."""
        click.echo(self._wrapped("  ", text))

    def _wrapped(self, mark: str, text: str) -> str:
        if not self._is_terminal:
            return mark + text
        # One column less: some terminals begin a new line of their own in the last one.
        width = max(_WIDTH_MIN, _columns() - 1)
        rest = " " * len(mark)
        return textwrap.fill(
            text,
            width,
            initial_indent=mark,
            subsequent_indent=rest,
            break_on_hyphens=False,
            break_long_words=True,
        )


def _columns() -> int:
    """As the terminal says; one on a serial line does not know, and COLUMNS says it."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or shutil.get_terminal_size().columns
    except OSError:
        return shutil.get_terminal_size().columns


class Echo:
    """Whether a terminal shows what is typed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._shows = True

    def set(self, *, shows: bool) -> None:
        """Change it; what is no terminal shows nothing anyway."""
        if shows == self._shows:
            return
        self._shows = shows
        try:
            settings = termios.tcgetattr(self._descriptor)
        except termios.error:
            return
        # ECHONL keeps the line end: the answer stands in a line of its own.
        local = settings[3]
        settings[3] = local | termios.ECHO if shows else (local & ~termios.ECHO) | termios.ECHONL
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, settings)


@contextmanager
def echo_of(descriptor: int) -> Iterator[Echo]:
    """The echo of a terminal, which is on again at the end, whatever happens."""
    echo = Echo(descriptor)
    try:
        yield echo
    finally:
        echo.set(shows=True)
