"""The worker's composition root: cameras, model and desk for one spec, between two pipes.

Imported late, by the worker only: this is where cv2, onnxruntime and the decoder come in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO

import cv2

from bodega.errors import PeerFault
from bodega.host.log import get_logger
from bodega_agent.vision import wire
from bodega_agent.vision.desk import InspectionDesk
from bodega_agent.vision.frames import FrameStore
from bodega_agent.vision.inspector import Inspector
from bodega_agent.vision.judge import Thresholds
from bodega_agent.vision.messages import InspectRequest, Ready, Verdict, WorkerSpec
from bodega_agent.vision.photographer import Photographer
from bodega_agent.vision.quality import QualityModel
from bodega_agent.vision.rack import CameraRack
from bodega_agent.vision.sightings import CameraNews, Sighting, Snapshot, SnapshotRequest
from bodega_agent.vision.streams import read_message
from bodega_agent.vision.watching import Watch

log = get_logger(__name__)


async def serve(inbound: BinaryIO, outbound: BinaryIO, spec: WorkerSpec | None) -> None:
    """Take requests from `inbound`, write verdicts to `outbound`, until `inbound` closes.

    Without a spec the first message brings it. Raises PeerFault for a message that is not one of `wire`'s.
    """
    # The other cores belong to the ledger; a frame of 640 x 480 gains nothing from more.
    cv2.setNumThreads(1)
    reader, writer = await _streams(inbound, outbound)
    if spec is None:
        spec = WorkerSpec.from_json(await _expected("start", reader))
    model = QualityModel(spec.providers)
    store = FrameStore(Path(spec.frames_dir), spec.frames_bytes_max, free_bytes_min=spec.free_bytes_min)

    def tell(kind: str, said: Ready | Verdict | Snapshot | Sighting | CameraNews) -> None:
        writer.write(wire.encode(kind, said.to_json()))

    rack = CameraRack(spec.cameras, spec.watched, partial(tell, "camera"))
    desk = InspectionDesk(rack, Inspector(model, store, Thresholds()), partial(tell, "verdict"))
    photographer = Photographer(rack, partial(tell, "snapshot"))
    watch = Watch(rack, desk.quiet, partial(tell, "sighting"))
    admit: dict[str, Callable[[object], None]] = {
        "inspect": lambda body: desk.admit(InspectRequest.from_json(body)),
        "snapshot": lambda body: photographer.admit(SnapshotRequest.from_json(body)),
    }
    tell("ready", Ready(model.name, model.provider))
    log.info("vision_worker_ready", model=model.name, provider=model.provider, cameras=sorted(spec.cameras))
    taking = asyncio.create_task(_take_requests(reader, admit))
    others = (desk.run(), rack.keep_open(), watch.run(spec.watched))
    tasks = {taking, *map(asyncio.create_task, others)}
    while not taking.done():
        done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    await rack.close()


async def _take_requests(reader: asyncio.StreamReader, admit: Mapping[str, Callable[[object], None]]) -> None:
    while (message := await read_message(reader)) is not None:
        kind, body = message
        if kind not in admit:
            raise PeerFault(f"vision message: expected {' or '.join(admit)}, got {kind:.40}")
        admit[kind](body)


async def _expected(kind: str, reader: asyncio.StreamReader) -> object | None:
    """The body of the next message, which must be of this kind; None when the pipe has closed."""
    message = await read_message(reader)
    if message is None:
        return None
    if message[0] != kind:
        raise PeerFault(f"vision message: expected {kind}, got {message[0]:.40}")
    return message[1]


async def _streams(
    inbound: BinaryIO, outbound: BinaryIO
) -> tuple[asyncio.StreamReader, asyncio.WriteTransport]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), inbound)
    transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, outbound)
    return reader, transport
