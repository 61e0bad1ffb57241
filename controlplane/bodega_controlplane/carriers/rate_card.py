"""A carrier that is a file of rates: whoever keeps the file changes the carrier's prices, and takes it away with it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bodega.core.rates import Service
from bodega.errors import InvalidInput, Unavailable
from bodega.limits import IMPORT_BYTES_MAX
from bodega.rates_codec import service_from_wire
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.shipping.checks import check_services
from bodega_controlplane.carriers.card_file import read_card


class RateCardCarrier:
    """`file`: a rate card, JSON or CSV; its services of this carrier are offered, others in it are left alone."""

    def __init__(self, name: str, file: str) -> None:
        self._name = name
        self._path = Path(file)

    @property
    def name(self) -> str:
        """As it was configured."""
        return self._name

    async def check(self) -> None:
        """It is there while its file is there and right."""
        await self.services()

    async def services(self) -> tuple[Service, ...]:
        """What the file says now."""
        return await asyncio.to_thread(self._read)

    async def close(self) -> None:
        """There is nothing to give back."""

    def _read(self) -> tuple[Service, ...]:
        try:
            if self._path.stat().st_size > IMPORT_BYTES_MAX:
                raise Unavailable(f"{self._path} is larger than {IMPORT_BYTES_MAX} bytes")
            card = read_card(self._path.read_text(encoding="utf-8-sig"), self._path).card
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
            raise Unavailable(
                f"{self._path}: {reason}", hint="put the carrier's file of rates there"
            ) from error
        except InvalidInput as error:
            raise Unavailable(f"{error.message}: {'; '.join(map(str, error.faults))}"[:500]) from error
        faults, ours = Faults(), [one for one in card.services if one.carrier == self._name]
        check_services(faults, "services", ours)
        if faults.found or not ours:
            why = "; ".join(map(str, faults.found)) or f"has no service of {self._name}"
            raise Unavailable(f"{self._path}: {why}"[:500], hint="mend the carrier's file of rates")
        return tuple(map(service_from_wire, ours))
