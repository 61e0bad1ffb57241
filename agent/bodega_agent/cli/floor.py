"""`bodega floor`: the line-mode terminal. Prompt, scan or type, next prompt; sounds for right and wrong.

It works over ssh, on a cheap terminal, with a keyboard-wedge scanner, and through pipes. The present prompt comes
first; then each line in is a scan and the prompt that follows its answer, to the end of the input.
"""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from bodega_agent.cli.client import ControlClient
from bodega_agent.cli.floor_screen import SOUNDS, Echo, Screen, echo_of
from bodega_agent.cli.location import config_option
from bodega_agent.rules.floor.scans import CONTROL_WORDS
from bodega_agent.rules.floor.words import WORDS

TYPED_WORDS = {word.removeprefix("CMD-").lower(): word for word in CONTROL_WORDS}
_HELP = ("help", "?")

Prompt = dict[str, Any]


@click.command()
@config_option
@click.option(
    "--device",
    default="terminal",
    show_default=True,
    help="Work as this device: a name of your own, or a scanner's to go on with its work.",
)
@click.option(
    "--sound",
    type=click.Choice(list(SOUNDS)),
    default="wrong",
    show_default=True,
    help="Ring for wrong scans; for both (once and three times); in tones, high and low, where the terminal can.",
)
@click.option("--json", "as_json", is_flag=True, help="Print each prompt as one line of JSON.")
def floor(config_path: Path, *, device: str, sound: str, as_json: bool) -> None:
    """Work on the floor from a keyboard: a whole day from receiving to handing over.

    Type or scan a code and press Enter. Control words may be typed short: `pick` is CMD-PICK, `done` is
    CMD-DONE, and so on; `help` lists them, with the words that answer a question. Numbers are typed as they are. Where
    people sign in, scan your badge, or type your name and then your PIN, which is not shown. An empty line repeats the
    prompt; Ctrl-D ends. What you have done stays done, and CMD-RESUME goes on with it at any device.

    \b
    A line begins with ! when the scan was refused (nothing was moved) and with ? when you are asked.

    \b
    Examples:
      bodega floor
      bodega floor --device lane-2 --sound both
      bodega floor --device scanner-1
      printf 'receive\\n9506000134352\\ndone\\n' | bodega floor --json
    """
    with ControlClient.of(config_path) as talk, ControlClient.of(config_path) as news:
        screen = Screen(sound)
        with echo_of(sys.stdin.fileno()) as echo:
            if not as_json:
                screen.say("You may type or scan; help lists the words.")
            terminal = Terminal(talk.ask("prompt", device=device), screen, echo, as_json=as_json)
            news.send("watch", device=device)
            _work(terminal, talk, news, device)


def _work(terminal: Terminal, talk: ControlClient, news: ControlClient, device: str) -> None:
    lines = Lines(sys.stdin.fileno())
    sources: list[Lines | ControlClient] = [lines, news]
    while not lines.ended:
        ready, _, _ = select.select(sources, [], [])
        if news in ready:
            for prompt in news.received():
                terminal.hear(prompt)
        if lines in ready:
            for line in lines.received():
                terminal.answer(line, talk, device)


class Terminal:
    """What stands on the screen, so that news is shown once."""

    def __init__(self, prompt: Prompt, screen: Screen, echo: Echo, *, as_json: bool) -> None:
        self._screen = screen
        self._echo = echo
        self._as_json = as_json
        self._show(prompt, heard=False)

    def answer(self, line: str, talk: ControlClient, device: str) -> None:
        """Handle one line of input."""
        code = line.strip()
        if not code:
            self._print(self._shown, heard=False)
        elif code.lower() in _HELP and not self._as_json:
            self._screen.say(f"Work: {' '.join(sorted(TYPED_WORDS))}")
            self._screen.say(f"Answers: {' '.join(sorted(WORDS))}")
            self._print(self._shown, heard=False)
        else:
            text = TYPED_WORDS.get(code.lower(), code)
            self._show(talk.ask("scan", device=device, text=text), heard=True)

    def hear(self, prompt: Prompt) -> None:
        """News: print it unless it stands there already, or is older than what does."""
        if _is_newer(prompt, self._shown):
            self._show(prompt, heard=True)

    def _show(self, prompt: Prompt, *, heard: bool) -> None:
        self._shown = prompt
        self._echo.set(shows=not (prompt["expect"] or {}).get("secret", False))
        self._print(prompt, heard=heard)

    def _print(self, prompt: Prompt, *, heard: bool) -> None:
        if self._as_json:
            click.echo(json.dumps(prompt, ensure_ascii=False, sort_keys=True))
        else:
            self._screen.show(prompt, heard=heard)


def _is_newer(prompt: Prompt, shown: Prompt) -> bool:
    if prompt["boot_nonce"] != shown["boot_nonce"]:
        return True
    return bool(prompt["scan_no"] >= shown["scan_no"]) and prompt != shown


class Lines:
    """Lines of a file descriptor as they come, without blocking between them."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._unread = b""
        self.ended = False

    def fileno(self) -> int:
        """For `select`."""
        return self._descriptor

    def received(self) -> Iterator[str]:
        """Whole lines that are there now; at the end also the last one without a line end."""
        chunk = os.read(self._descriptor, 65536)
        self.ended = not chunk
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        if self.ended and self._unread:
            lines, self._unread = [self._unread], b""
        for line in lines:
            yield line.decode(errors="replace")
