"""What this instance decides by: taken from the database, which says it to all of them."""

from __future__ import annotations

from dataclasses import replace

from bodega.core.routing.bundle import Bundle
from bodega.errors import InvalidInput, NotFound
from bodega.host.log import get_logger
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.routing import bundles
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)


async def look(hub: Hub) -> str:
    """Decide by what is in force, if that has changed; why it stays as it was, or empty.

    A bundle that this version can not read changes nothing: the last good one stays. Raises Unavailable.
    """

    def read(tx: Transaction) -> tuple[int, Bundle | None]:
        number, digest = bundles.in_force(tx)
        return number, bundles.find(tx, digest) if number != hub.policy.activation else None

    try:
        number, bundle = await hub.read(read)
    except (InvalidInput, NotFound) as error:
        return error.message
    if bundle is not None:
        hub.policy = replace(hub.policy, bundle=bundle, activation=number)
        log.info("routing_bundle_in_force", rule=bundle.rule, activation=number)
    return ""
