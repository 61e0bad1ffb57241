"""Carrier services: wire <-> the values that `core.rates` reckons with."""

from __future__ import annotations

from datetime import date

from bodega.core.parcels import Box
from bodega.core.rates import Bracket, Service, Surcharge, Zone
from bodega.v1 import catalogue_pb2


def service_from_wire(one: catalogue_pb2.CarrierService) -> Service:
    """A service; one that has been checked (`holidays` are days)."""
    return Service(
        one.service,
        one.carrier,
        one.service_class,
        one.cut_off_minute,
        tuple(one.collection_days),
        one.currency,
        one.dimensional_divisor,
        one.surcharge_permille,
        tuple(map(_zone_from_wire, one.zones)),
        tuple(map(_surcharge_from_wire, one.surcharges)),
        tuple(map(date.fromisoformat, one.holidays)),
        one.suspended,
        tuple(one.origins),
    )


def _zone_from_wire(zone: catalogue_pb2.RateZone) -> Zone:
    return Zone(
        zone.zone,
        tuple(zone.countries),
        tuple(zone.postal_prefixes),
        tuple(Bracket(bracket.max_weight_g, bracket.price_minor) for bracket in zone.brackets),
        zone.transit_days,
        tuple(zone.origins),
    )


def _surcharge_from_wire(one: catalogue_pb2.RateSurcharge) -> Surcharge:
    return Surcharge(
        one.surcharge,
        one.price_minor,
        one.permille,
        tuple(one.countries),
        tuple(one.postal_prefixes),
        one.residential,
        one.longest_over_mm,
        one.girth_over_mm,
        one.weight_over_g,
    )


def service_to_wire(one: Service) -> catalogue_pb2.CarrierService:
    """The inverse of `service_from_wire`."""
    return catalogue_pb2.CarrierService(
        service=one.service,
        carrier=one.carrier,
        service_class=one.service_class,
        cut_off_minute=one.cut_off_minute,
        collection_days=one.collection_days,
        currency=one.currency,
        dimensional_divisor=one.dimensional_divisor,
        surcharge_permille=one.surcharge_permille,
        zones=map(_zone_to_wire, one.zones),
        surcharges=map(_surcharge_to_wire, one.surcharges),
        holidays=[day.isoformat() for day in one.holidays],
        suspended=one.suspended,
        origins=one.origins,
    )


def _zone_to_wire(zone: Zone) -> catalogue_pb2.RateZone:
    return catalogue_pb2.RateZone(
        zone=zone.zone,
        countries=zone.countries,
        postal_prefixes=zone.postal_prefixes,
        brackets=[
            catalogue_pb2.RateBracket(max_weight_g=one.max_weight_g, price_minor=one.price_minor)
            for one in zone.brackets
        ],
        transit_days=zone.transit_days,
        origins=zone.origins,
    )


def _surcharge_to_wire(one: Surcharge) -> catalogue_pb2.RateSurcharge:
    return catalogue_pb2.RateSurcharge(
        surcharge=one.surcharge,
        price_minor=one.price_minor,
        permille=one.permille,
        countries=one.countries,
        postal_prefixes=one.postal_prefixes,
        residential=one.residential,
        longest_over_mm=one.longest_over_mm,
        girth_over_mm=one.girth_over_mm,
        weight_over_g=one.weight_over_g,
    )


def box_from_wire(one: catalogue_pb2.Carton) -> Box:
    """A box of a node's list."""
    return Box((one.length_mm, one.width_mm, one.height_mm), one.weight_g, one.max_weight_g)
