"""`bodega floor`: the line-mode terminal. Prompt, scan or type, next prompt; a bell for a wrong scan.

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
from bodega_agent.cli.location import config_option
from bodega_agent.rules.floor.scans import CONTROL_WORDS

BELL = "\a"
_MARKS = {"ok": " ", "error": "!", "ask": "?"}
_TYPED_WORDS = {word.removeprefix("CMD-").lower(): word for word in CONTROL_WORDS}

Prompt = dict[str, Any]


@click.command()
@config_option
@click.option(
    "--device",
    default="terminal",
    show_default=True,
    help="Work as this device: a name of your own, or a scanner's to go on with its work.",
)
@click.option("--json", "as_json", is_flag=True, help="Print each prompt as one line of JSON.")
def floor(config_path: Path, *, device: str, as_json: bool) -> None:
    """Work on the floor from a keyboard: receive, put away, pick, pack, hand over.

    Type or scan a code and press Enter. Control words may be typed short: `pick` is CMD-PICK, `done` is
    CMD-DONE, and so on. An empty line repeats the prompt; Ctrl-D ends. What you have done stays done.

    \b
    A line begins with ! when the scan was refused (nothing was moved) and with ? when you are asked.

    \b
    Examples:
      bodega floor
      bodega floor --device scanner-1
      printf 'receive\\n9506000134352\\ndone\\n' | bodega floor --json
    """
    with ControlClient.of(config_path) as talk, ControlClient.of(config_path) as news:
        if not as_json:
            click.echo(f"  You may type {' '.join(sorted(_TYPED_WORDS))}; or scan.")
        terminal = Terminal(talk.ask("prompt", device=device), as_json=as_json)
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

    def __init__(self, prompt: Prompt, *, as_json: bool) -> None:
        self._as_json = as_json
        self.show(prompt)

    def answer(self, line: str, talk: ControlClient, device: str) -> None:
        """Handle one line of input."""
        code = line.strip()
        if not code:
            self._print(self._shown)
            return
        self.show(talk.ask("scan", device=device, text=_TYPED_WORDS.get(code, code)))

    def hear(self, prompt: Prompt) -> None:
        """News: print it unless it stands there already, or is older than what does."""
        if _is_newer(prompt, self._shown):
            self.show(prompt)

    def show(self, prompt: Prompt) -> None:
        """Print a prompt."""
        self._shown = prompt
        self._print(prompt)

    def _print(self, prompt: Prompt) -> None:
        if self._as_json:
            click.echo(json.dumps(prompt, ensure_ascii=False, sort_keys=True))
        else:
            bell = BELL if prompt["tone"] == "error" and sys.stdout.isatty() else ""
            click.echo(f"{bell}{_MARKS[prompt['tone']]} {prompt['text']}")
            for detail in prompt["detail"]:
                click.echo(f"    {detail}")


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
