"""How the control plane is."""

from __future__ import annotations

from pydantic import BaseModel


class HealthOut(BaseModel):
    """The control plane answers and its database too; without a broker, orders wait for their nodes."""

    status: str
    version: str
    broker_connected: bool
