"""A real broker for the tests of the link."""

from support.nats import nats_server

__all__ = ["nats_server"]
