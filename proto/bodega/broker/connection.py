"""One connection to the broker: address, credentials, encryption, pings that see a half-open link in under 10 s.

nats-py's own reconnecting is off: it gives up after some server errors, keeps half-sent messages for the next
connection, and has no jitter. Whoever owns a link makes a new connection each time, for ever.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import SlowConsumerError

from bodega.errors import ConfigInvalid, Unavailable
from bodega.host.addresses import is_loopback
from bodega.host.log import get_logger
from bodega.limits import BROKER_CONNECT_S, BROKER_PING_S, BROKER_PINGS_OUTSTANDING_MAX

log = get_logger(__name__)

_CLOSE_S = 1.0
_CLOSED_POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is; `url` may name several servers of one cluster, separated by commas.

    Raises ConfigInvalid for an unencrypted address that leaves this machine.
    """

    url: str
    user: str = ""
    password_file: Path | None = None

    def __post_init__(self) -> None:
        for server in self.servers:
            parts = urlsplit(server)
            if parts.scheme != "tls" and not is_loopback(parts.hostname or ""):
                raise ConfigInvalid(
                    f"'{server}' is not encrypted and not on this machine", hint="use tls:// off loopback"
                )

    @property
    def servers(self) -> list[str]:
        """The servers of the cluster."""
        return [server.strip() for server in self.url.split(",")]

    def password(self) -> str | None:
        """Read anew at each connect, so that a changed file needs no restart; raises Unavailable."""
        if self.password_file is None:
            return None
        try:
            return self.password_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Unavailable(
                f"cannot read the broker's password: {error}",
                hint="see the password file of the broker in the configuration",
            ) from error


async def connect(broker: Broker, *, name: str, inbox_prefix: str, closed: asyncio.Event) -> Client:
    """Connect once; raises Unavailable. `closed` is set when the connection has ended."""
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

    password = broker.password()
    client = Client()
    try:
        await client.connect(
            broker.servers,
            name=name,
            user=broker.user or None,
            password=password,
            inbox_prefix=inbox_prefix,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=int(BROKER_CONNECT_S),
            ping_interval=int(BROKER_PING_S),
            max_outstanding_pings=BROKER_PINGS_OUTSTANDING_MAX,
            error_cb=on_error,
            closed_cb=on_closed,
        )
    except (NatsError, OSError, TimeoutError) as error:
        abort(client)
        raise Unavailable(str(error) or type(error).__name__) from error
    except BaseException:
        abort(client)
        raise
    connecting = False
    return client


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
        abort(client)


def abort(client: Client) -> None:
    """Drop the socket now. nats-py has no way to ask for it, and its own close waits for unsent bytes."""
    transport = client._transport
    writer = getattr(transport, "_io_writer", None) or getattr(transport, "_bare_io_writer", None)
    if writer is not None:
        writer.transport.abort()


def stop_if_cancelled() -> None:
    """Raise the cancellation that nats-py has lost.

    It waits with `asyncio.wait_for`, which before Python 3.12 returns the result and forgets a cancellation
    that comes in the same moment (python/cpython#86296).
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
