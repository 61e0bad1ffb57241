"""The service of rates.proto: translates, runs one use case, translates back."""
# ruff: noqa: N802, ARG002 - names and parameters of the methods are given by the generated code

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import grpc

from bodega.v1 import rates_pb2 as pb
from bodega.v1 import rates_pb2_grpc as services
from bodega_controlplane.api.grpc import wire
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.shipping import asking, cards, carriers
from bodega_controlplane.app.shipping.views import Priced, Promise

Context = grpc.aio.ServicerContext[Any, Any]


class Rates(services.RateServiceServicer):
    """What carriers take, and which of them are down."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def ImportRateCard(
        self, request: pb.ImportRateCardRequest, context: Context
    ) -> pb.ImportRateCardResponse:
        """Checked whole, kept whole."""
        caller = self._hub.caller("operator", "operator")
        view, changed, count = await self._hub.run(
            lambda tx: cards.import_card(tx, caller, request.card, check_only=request.check_only)
        )
        return pb.ImportRateCardResponse(
            card=pb.RateCardSummary(**asdict(view)), changed=changed, nodes=count
        )

    async def ListRateCards(
        self, request: pb.ListRateCardsRequest, context: Context
    ) -> pb.ListRateCardsResponse:
        """Newest first."""
        size, now_ms = wire.page_size(request.page_size), self._hub.now_ms()
        found = await self._hub.read(lambda tx: cards.list_cards(tx, now_ms, size))
        return pb.ListRateCardsResponse(cards=[pb.RateCardSummary(**asdict(one)) for one in found])

    async def GetRateCard(self, request: pb.GetRateCardRequest, context: Context) -> pb.GetRateCardResponse:
        """One card, or the one in force."""
        now_ms = self._hub.now_ms()
        view, card = await self._hub.read(lambda tx: cards.get_card(tx, now_ms, request.version))
        return pb.GetRateCardResponse(summary=pb.RateCardSummary(**asdict(view)), card=card)

    async def QuoteRates(self, request: pb.QuoteRatesRequest, context: Context) -> pb.QuoteRatesResponse:
        """Every service, and what could be promised."""
        question = asking.Question(
            request.node_id,
            request.country,
            request.postal_code,
            request.weight_g,
            request.volume_ml,
            residential=not request.business,
            at_ms=request.at_ms or self._hub.now_ms(),
        )
        priced, promises = await self._hub.read(lambda tx: asking.quote(tx, question))
        return pb.QuoteRatesResponse(
            quotes=[_quote(*one) for one in priced], promises=[_promise(one, priced) for one in promises]
        )

    async def ListCarriers(
        self, request: pb.ListCarriersRequest, context: Context
    ) -> pb.ListCarriersResponse:
        """By name."""
        now_ms = self._hub.now_ms()
        found = await self._hub.read(lambda tx: carriers.list_carriers(tx, now_ms))
        return pb.ListCarriersResponse(carriers=[pb.CarrierStatus(**asdict(one)) for one in found])

    async def SetCarrier(self, request: pb.SetCarrierRequest, context: Context) -> pb.SetCarrierResponse:
        """Down, or up again."""
        caller = self._hub.caller("operator", "operator")
        view, changed = await self._hub.run(
            lambda tx: carriers.set_carrier(
                tx, caller, request.carrier, down=request.down, reason=request.reason
            )
        )
        return pb.SetCarrierResponse(carrier=pb.CarrierStatus(**asdict(view)), changed=changed)


def _quote(node_id: str, one: Priced) -> pb.RateQuote:
    count, quote = one.parcels.count, one.quote
    return pb.RateQuote(
        node_id=node_id,
        carrier=quote.carrier,
        service=quote.service,
        service_class=quote.service_class,
        zone=quote.zone,
        parcels=count,
        billed_weight_g=quote.billed_weight_g,
        base_minor=count * quote.base_minor,
        added=[
            pb.RateAdded(surcharge=each.surcharge, price_minor=count * each.price_minor)
            for each in quote.added
        ],
        price_minor=one.price_minor,
        currency=quote.currency,
        ship_date=quote.ship_date.isoformat(),
        due_date=quote.due_date.isoformat(),
        suspended=one.suspended,
    )


def _promise(one: Promise, priced: Iterable[tuple[str, Priced]]) -> pb.RatePromise:
    (chosen,) = [each for node_id, each in priced if node_id == one.node_id and each.offer == one.offer]
    return pb.RatePromise(
        service_class=one.service_class,
        quote=_quote(one.node_id, chosen),
        on_time=one.on_time,
        order_by_ms=one.order_by_ms,
    )
