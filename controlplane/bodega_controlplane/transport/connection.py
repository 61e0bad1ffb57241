"""One connection to the broker: address, credentials, pings that see a half-open link in under 10 s.

nats-py's own reconnecting is off: it gives up after some server errors and has no jitter. `link` makes a
new connection each time, for ever.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import SlowConsumerError

from bodega.errors import Unavailable
from bodega.host.log import get_logger
from bodega.limits import BROKER_CONNECT_S, BROKER_PING_S, BROKER_PINGS_OUTSTANDING_MAX
from bodega_controlplane.config import NatsConfig

log = get_logger(__name__)

_CLOSE_S = 1.0
_CLOSED_POLL_S = 1.0


async def connect(broker: NatsConfig, *, closed: asyncio.Event) -> Client:
    """Connect once; raises what nats-py raises, OSError, Unavailable. `closed` is set when it has ended."""
    client = Client()
    connecting = True

    async def on_error(error: Exception) -> None:
        if connecting:
            raise error  # nats-py would try the same server for ever; the waiting is ours to do
        if isinstance(error, SlowConsumerError):
            log.warning("broker_message_dropped", subject=error.subject)
        else:
            log.debug("broker_error", reason=str(error) or type(error).__name__)

    async def on_closed() -> None:
        closed.set()

    try:
        await client.connect(
            broker.servers,
            name="bodega-controlplane",
            user=broker.user or None,
            password=_password(broker.password_file),
            inbox_prefix="_INBOX_hub",
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=int(BROKER_CONNECT_S),
            ping_interval=int(BROKER_PING_S),
            max_outstanding_pings=BROKER_PINGS_OUTSTANDING_MAX,
            error_cb=on_error,
            closed_cb=on_closed,
        )
    except BaseException:
        await close(client)
        raise
    connecting = False
    return client


def _password(path: Path | None) -> str | None:
    """Read anew at each connect, so that a changed file needs no restart."""
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Unavailable(
            f"cannot read the broker's password: {error}", hint="see password_file in [nats]"
        ) from error


async def until_closed(client: Client, closed: asyncio.Event) -> None:
    """Return when the connection is over.

    Polled as well, because nats-py tells nobody while its closing waits for a dead socket to drain.
    """
    while client.is_connected:
        try:
            async with asyncio.timeout(_CLOSED_POLL_S):
                await closed.wait()
        except TimeoutError:
            continue


async def close(client: Client) -> None:
    """Close within a second, and drop the socket in any case."""
    try:
        async with asyncio.timeout(_CLOSE_S):
            await client.close()
    except (NatsError, OSError, TimeoutError):
        log.debug("broker_close_cut_short")
    finally:
        # nats-py has no way to ask for it, and its own close waits for unsent bytes.
        transport = client._transport
        writer = getattr(transport, "_io_writer", None) or getattr(transport, "_bare_io_writer", None)
        if writer is not None:
            writer.transport.abort()
