"""What the agent can say of its cameras, which live in the vision process: how they are, and what they see.

`camera.snapshot` of the control socket is what `bodega devices snapshot` asks.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Protocol

from bodega.errors import FieldFault, InvalidInput, Unavailable
from bodega_agent.config import DeviceConfig
from bodega_agent.services.cell import DeviceSpec
from bodega_agent.services.control import Answer, Json
from bodega_agent.services.devices import camera_row
from bodega_agent.vision.sightings import CameraNews, Snapshot


class Eyes(Protocol):
    """What the service needs of `vision.client.VisionClient`."""

    async def snapshot(self, camera: str) -> Snapshot:
        """Answers in bounded time; raises Unavailable."""
        ...


class Cameras(Protocol):
    """What `camera_rows` needs of it."""

    @property
    def ready(self) -> bool:
        """Whether a worker is up."""
        ...

    @property
    def cameras(self) -> Mapping[str, CameraNews]:
        """What the worker has said of each camera."""
        ...


def camera_rows(eyes: Cameras | None, cameras: Sequence[DeviceConfig]) -> list[Json]:
    """How each camera is, as `bodega devices ls` shows it; settings that did not take are named."""
    specs = [DeviceSpec("camera", one.name, one.driver, one.options) for one in cameras]
    return [camera_row(spec, *_state(eyes, spec.name)) for spec in specs]


def _state(eyes: Cameras | None, name: str) -> tuple[str, str]:
    if eyes is None:
        return "off", ""
    if not eyes.ready:
        return "starting", ""
    news = eyes.cameras.get(name)
    if news is None:
        # One that is no live camera, and was not asked yet.
        return "ok", ""
    if not news.present:
        return "lost", news.problem
    return "ok", "; ".join(f"{setting} did not take: {values}" for setting, values in news.refused.items())


class SnapshotService:
    """Asks the vision process, where one runs."""

    def __init__(self, eyes: Eyes | None) -> None:
        self._eyes = eyes

    @property
    def answers(self) -> dict[str, Answer]:
        """One answer per request."""
        return {"camera.snapshot": self._snapshot}

    async def _snapshot(self, request: Json) -> Json:
        """The picture of `camera` as base64 of a JPEG, and what the camera is set to."""
        camera = request.get("camera")
        if not isinstance(camera, str) or not camera:
            fault = FieldFault("camera", "must be the name of a camera")
            raise InvalidInput(f"the request's {fault}", faults=(fault,))
        if self._eyes is None:
            raise Unavailable(
                f"camera {camera}: no camera process runs here",
                hint="[vision] with mode advisory or blocking, or a scanner with driver camera, starts it",
            )
        seen = await self._eyes.snapshot(camera)
        return {
            "camera": camera,
            "jpeg": base64.b64encode(seen.jpeg).decode(),
            "width": seen.width,
            "height": seen.height,
            "at_ms": seen.at_ms,
            "digest": seen.digest,
            "source": seen.source,
            "settings": {name: dict(values) for name, values in seen.settings.items()},
        }
