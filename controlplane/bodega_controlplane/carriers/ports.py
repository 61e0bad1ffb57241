"""What the hub asks of a carrier. `tests/contracts/test_carrier_contract.py` says what each must keep.

No order waits for a carrier: routing reckons with the services that the carrier has said last, and nodes do so without
a network. So a carrier is asked beside all that, now and then, for two things: is it there, and what does it take.
"""

from __future__ import annotations

from typing import Protocol

from bodega.core.rates import Service


class Carrier(Protocol):
    """One carrier; asked by one task at a time, and given up after CARRIER_CHECK_TAKES_S.

    Every method raises Unavailable, with a reason for a person, when the carrier can not be asked, and nothing else.
    """

    @property
    def name(self) -> str:
        """As services, tracking numbers and manifests name it."""
        ...

    async def check(self) -> None:
        """Return if parcels can be sent with it now; raise Unavailable if not."""
        ...

    async def services(self) -> tuple[Service, ...]:
        """What it offers, each with its own name as `carrier`; empty: what the network's card says of it holds.

        The same services until the carrier has changed them: they are compared.
        """
        ...

    async def close(self) -> None:
        """Give back what it holds; harmless when done twice."""
        ...
