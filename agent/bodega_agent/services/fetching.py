"""Artifacts of the hub, fetched whole: in ranges, on from where a lost link left it, believed by their digest only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from bodega.errors import IntegrityBroken, PeerFault, Refused
from bodega.host.log import get_logger
from bodega.limits import ARTIFACT_RANGE_BYTES_MAX, RPC_DEFAULT_S
from bodega.v1 import artifacts_pb2 as pb
from bodega_agent.store.files import put_in_place

log = get_logger(__name__)

_CHUNK_BYTES = 1024 * 1024


class Fetcher:
    """Fetches into `folder`. `channel` makes the way to the hub (`HubLink.channel`), and loads gRPC."""

    def __init__(self, channel: Callable[[], Any], folder: Path) -> None:
        self._channel = channel
        self._folder = folder

    async def fetch(self, name: str, *, digest: bytes, size_bytes_max: int) -> Path:
        """The file's path once it is there whole, durably, with this SHA-256.

        Raises Unavailable when the link is lost: what has come stays, and the next call goes on from there.
        Raises NotFound, Refused for one that is too large, PeerFault if the hub has another file of this name,
        IntegrityBroken if the bytes do not have the digest: then all of them are thrown away.
        """
        target = self._folder / name
        if await asyncio.to_thread(_has_digest, target, digest):
            return target
        part = self._folder / f"{name}.{digest.hex()[:16]}.part"
        await asyncio.to_thread(_forget_others, self._folder, name, part)
        await self._fetch_rest(name, part, digest, size_bytes_max)
        if not await asyncio.to_thread(_has_digest, part, digest):
            await asyncio.to_thread(part.unlink)
            raise IntegrityBroken(
                f"the bytes of artifact '{name}' do not have the digest that the hub stated",
                hint="fetch it again; if it stays so, put the file on the hub's shelf anew",
            )
        await asyncio.to_thread(put_in_place, part, target)
        log.info("artifact_fetched", name=name, sha256=digest.hex())
        return target

    async def _fetch_rest(self, name: str, part: Path, digest: bytes, size_bytes_max: int) -> None:
        # Imported here, as the channel is made late: gRPC is paid for by who calls.
        from bodega.broker.rpc_asking import ask  # noqa: PLC0415 - see the sentence above
        from bodega.v1.artifacts_pb2_grpc import ArtifactServiceStub  # noqa: PLC0415 - see the sentence above

        stub = ArtifactServiceStub(self._channel())
        offset = await asyncio.to_thread(lambda: part.stat().st_size if part.exists() else 0)
        while True:
            request = pb.GetArtifactRangeRequest(name=name, offset=offset, length=ARTIFACT_RANGE_BYTES_MAX)
            answer = await ask(stub.GetArtifactRange, request, timeout_s=RPC_DEFAULT_S)
            if answer.artifact.sha256 != digest:
                raise PeerFault(
                    f"the hub has another artifact '{name}' now",
                    hint="ask for its digest again: ListArtifacts",
                )
            if answer.artifact.size_bytes > size_bytes_max:
                raise Refused(
                    f"artifact '{name}' has {answer.artifact.size_bytes} bytes, {size_bytes_max} is the most"
                )
            await asyncio.to_thread(_append, part, offset, answer.content)
            offset += len(answer.content)
            if offset >= answer.artifact.size_bytes or not answer.content:
                return


def _append(part: Path, offset: int, content: bytes) -> None:
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("r+b" if part.exists() else "wb") as file:
        file.seek(offset)
        file.write(content)


def _has_digest(path: Path, digest: bytes) -> bool:
    if not path.is_file():
        return False
    found = sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            found.update(chunk)
    return found.digest() == digest


def _forget_others(folder: Path, name: str, part: Path) -> None:
    """Parts of an earlier file of this name."""
    for other in folder.glob(f"{name}.*.part"):
        if other != part:
            other.unlink(missing_ok=True)
