"""`camera.snapshot` of the control socket: what a camera sees now, for `bodega devices snapshot`."""

from __future__ import annotations

import base64
from typing import Protocol

from bodega.errors import FieldFault, InvalidInput, Unavailable
from bodega_agent.services.control import Answer, Json
from bodega_agent.vision.sightings import Snapshot


class Eyes(Protocol):
    """What the service needs of `vision.client.VisionClient`."""

    async def snapshot(self, camera: str) -> Snapshot:
        """Answers in bounded time; raises Unavailable."""
        ...


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
