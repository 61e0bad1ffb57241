"""What a carrier takes, when it collects, and which service a parcel goes with."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.core.rates import (
    Bracket,
    Consignment,
    LocalTime,
    Service,
    Surcharge,
    Zone,
    after_working_days,
    billed_weight_g,
    choose,
    last_day_of,
    next_collection,
    quote_of,
    zone_of,
)
from bodega.rates_codec import service_from_wire, service_to_wire

HOME = Zone("home", ("PT",), (), (Bracket(1_000, 400), Bracket(5_000, 650)), 1)
ISLANDS = Zone("islands", ("PT",), ("90", "9 1"), (Bracket(5_000, 1_500),), 4)
ANYWHERE = Zone("world", (), (), (Bracket(2_000, 3_000),), 7)
NEXT = Service("NEXT", "northpost", "next_day", 960, (1, 2, 3, 4, 5), "EUR", 0, 0, (HOME, ISLANDS, ANYWHERE))
ECO = replace(
    NEXT, service="ECO", carrier="southpost", service_class="standard", zones=(replace(HOME, transit_days=3),)
)
ECO = replace(ECO, zones=(replace(ECO.zones[0], brackets=(Bracket(5_000, 300),)),))
MONDAY = date(2026, 11, 23)
MORNING = LocalTime(MONDAY, 600)
SENT = Consignment("PT", "1100-060", 900)


@pytest.mark.parametrize(
    ("country", "postal_code", "zone"),
    [
        ("PT", "1100-060", "home"),
        ("PT", "9000-017", "islands"),
        ("PT", "9100-12", "islands"),
        ("DE", "10115", "world"),
        ("pt", "", "home"),
    ],
)
def test_the_longest_postal_prefix_names_the_zone_however_the_code_is_written(
    country: str, postal_code: str, zone: str
) -> None:
    found = zone_of(NEXT.zones, country, postal_code)
    assert found is not None
    assert found.zone == zone


def test_where_no_zone_goes_nothing_is_offered() -> None:
    assert zone_of(ECO.zones, "DE", "10115") is None
    assert quote_of(ECO, replace(SENT, country="DE"), MORNING) is None


@pytest.mark.parametrize(
    ("weight_g", "price"), [(1, 400), (1_000, 400), (1_001, 650), (5_000, 650), (5_001, None)]
)
def test_a_bracket_holds_up_to_its_weight_and_above_the_last_one_nothing_is_offered(
    weight_g: int, price: int | None
) -> None:
    quote = quote_of(NEXT, replace(SENT, weight_g=weight_g), MORNING)
    assert (quote.price_minor if quote else None) == price


def test_a_large_light_parcel_is_billed_by_its_room_and_a_surcharge_is_added_to_the_price() -> None:
    card = replace(NEXT, dimensional_divisor=5_000, surcharge_permille=125)
    quote = quote_of(card, replace(SENT, volume_ml=6_001), MORNING)
    assert quote is not None
    assert (quote.billed_weight_g, quote.price_minor) == (1_201, 731), "650 and an eighth, rounded half up"


@given(st.integers(0, 70_000), st.integers(0, 500_000), st.integers(0, 10_000))
def test_nobody_is_billed_for_less_than_the_real_weight(weight_g: int, volume_ml: int, divisor: int) -> None:
    billed = billed_weight_g(weight_g, volume_ml, divisor)
    assert billed >= weight_g
    if divisor:
        assert (billed - 1) * divisor < max(volume_ml * 1000, weight_g * divisor) or billed == 0


@pytest.mark.parametrize(
    ("minute", "day", "leaves"),
    [
        (959, MONDAY, MONDAY),
        (960, MONDAY, date(2026, 11, 24)),
        (600, date(2026, 11, 28), date(2026, 11, 30)),
        (960, date(2026, 11, 27), date(2026, 11, 30)),
    ],
)
def test_a_parcel_after_the_cut_off_waits_for_the_next_day_of_collection(
    minute: int, day: date, leaves: date
) -> None:
    assert next_collection(NEXT, LocalTime(day, minute)) == leaves


def test_a_carrier_that_comes_once_a_week_comes_in_a_week_after_its_cut_off() -> None:
    weekly = replace(NEXT, collection_days=(1,))
    assert next_collection(weekly, LocalTime(MONDAY, 960)) == date(2026, 11, 30)


def test_days_on_the_way_are_working_days() -> None:
    assert after_working_days(date(2026, 11, 27), 1) == date(2026, 11, 30)
    assert after_working_days(MONDAY, 5) == date(2026, 11, 30)


def test_the_service_that_is_asked_for_is_taken_even_where_another_is_cheaper() -> None:
    quote = choose((ECO, NEXT), replace(SENT, service="NEXT"), MORNING)
    assert quote is not None
    assert (quote.carrier, quote.ship_date, quote.due_date) == ("northpost", MONDAY, date(2026, 11, 24))


@pytest.mark.parametrize(
    ("service_class", "carrier"),
    [("", "southpost"), ("standard", "southpost"), ("next_day", "northpost"), ("same_day", None)],
)
def test_the_cheapest_that_keeps_the_class_is_taken_and_a_sooner_one_keeps_it_too(
    service_class: str, carrier: str | None
) -> None:
    quote = choose((NEXT, ECO), replace(SENT, service_class=service_class), MORNING)
    assert (quote.carrier if quote else None) == carrier


def test_of_those_that_keep_the_class_the_one_that_still_leaves_in_time_is_taken() -> None:
    early = replace(ECO, cut_off_minute=500)
    sent = replace(SENT, ship_by=MONDAY)
    quote = choose((early, NEXT), sent, MORNING)
    assert quote is not None
    assert quote.carrier == "northpost", "the cheap one has gone for today"
    late = choose((early, replace(NEXT, cut_off_minute=500)), sent, MORNING)
    assert late is not None
    assert late.carrier == "southpost", "none leaves in time: the cheapest, late, and not none at all"


def test_after_a_cut_off_a_dearer_service_that_still_arrives_within_the_days_of_the_class_is_taken() -> None:
    gone = replace(NEXT, cut_off_minute=500)
    bike = replace(NEXT, service="BIKE", carrier="bikes", service_class="same_day", surcharge_permille=5000)
    sent = replace(SENT, service_class="next_day")
    before, after = choose((NEXT, bike), sent, MORNING), choose((gone, bike), sent, MORNING)
    assert before is not None
    assert after is not None
    assert (before.service, after.service) == ("NEXT", "BIKE")
    assert choose((gone, bike), replace(sent, service_class="standard"), MORNING) == quote_of(
        gone, sent, MORNING
    )


def test_where_all_arrive_too_late_for_the_class_the_soonest_is_taken() -> None:
    gone = replace(NEXT, cut_off_minute=500)
    later = replace(gone, service="LATER", surcharge_permille=0, collection_days=(5,))
    assert later.zones == gone.zones
    quote = choose((later, gone), replace(SENT, service_class="next_day"), MORNING)
    assert quote is not None
    assert (quote.service, quote.misses) == ("NEXT", ("next_day",))


def test_a_carrier_without_numbers_is_passed_over() -> None:
    quote = choose((NEXT, ECO), SENT, MORNING, without={"southpost"})
    assert quote is not None
    assert quote.carrier == "northpost"
    assert choose((ECO,), SENT, MORNING, without={"southpost"}) is None


@given(st.permutations([NEXT, ECO, replace(ECO, carrier="eastpost"), replace(NEXT, carrier="westpost")]))
def test_the_choice_does_not_hang_on_the_order_of_the_card(card: list[Service]) -> None:
    quote = choose(card, SENT, MORNING)
    assert quote is not None
    assert (quote.carrier, quote.service) == ("eastpost", "ECO")


def test_each_surcharge_is_added_where_it_applies_and_the_sum_adds_up() -> None:
    card = replace(
        NEXT,
        surcharge_permille=100,
        surcharges=(
            Surcharge("islands", 450, countries=("PT",), postal_prefixes=("9",)),
            Surcharge("home", 90, residential=True),
            Surcharge("oversize", 1_000, longest_over_mm=1_200, girth_over_mm=3_000, weight_over_g=4_000),
            Surcharge("peak", permille=50),
        ),
    )

    def added(**more: object) -> dict[str, int]:
        quote = quote_of(card, replace(SENT, **more), MORNING)  # type: ignore[arg-type]  # the test's choice
        assert quote is not None
        assert quote.price_minor == quote.base_minor + sum(one.price_minor for one in quote.added)
        return {one.surcharge: one.price_minor for one in quote.added}

    assert added() == {"fuel": 40, "home": 90, "peak": 20}
    assert added(residential=False) == {"fuel": 40, "peak": 20}
    assert added(postal_code="9000-017") == {"fuel": 150, "islands": 450, "home": 90, "peak": 75}


@pytest.mark.parametrize(
    ("sides_mm", "weight_g", "applies"),
    [
        ((), 4_000, False),
        ((), 4_001, True),
        ((1_200, 100, 100), 900, False),
        ((100, 1_201, 100), 900, True),
        ((1_000, 500, 500), 900, False),
        ((1_000, 500, 501), 900, True),
    ],
)
def test_a_parcel_is_out_of_size_by_its_longest_side_its_girth_or_its_weight(
    sides_mm: tuple[int, ...], weight_g: int, applies: bool
) -> None:
    bound = Surcharge("oversize", 1_000, longest_over_mm=1_200, girth_over_mm=3_000, weight_over_g=4_000)
    card = replace(NEXT, surcharges=(bound,))
    quote = quote_of(card, replace(SENT, sides_mm=sides_mm, weight_g=weight_g), MORNING)
    assert quote is not None
    assert bool(quote.added) is applies


def test_on_a_holiday_nobody_collects_and_nobody_delivers() -> None:
    holidays = (MONDAY, date(2026, 11, 25))
    card = replace(NEXT, holidays=holidays)
    quote = quote_of(card, SENT, MORNING)
    assert quote is not None
    assert (quote.ship_date, quote.due_date) == (date(2026, 11, 24), date(2026, 11, 26))
    assert last_day_of("next_day", date(2026, 11, 24), holidays) == date(2026, 11, 26)
    weekly = replace(NEXT, collection_days=(1,), holidays=(MONDAY, date(2026, 11, 30)))
    assert next_collection(weekly, MORNING) == date(2026, 12, 7)


def test_nothing_goes_with_a_carrier_that_is_down_even_where_the_order_names_its_service() -> None:
    quote = choose((replace(NEXT, suspended=True), ECO), replace(SENT, service="NEXT"), MORNING)
    assert quote is not None
    assert quote.carrier == "southpost"


def test_of_those_that_keep_the_class_one_that_arrives_in_time_is_taken() -> None:
    quote = choose((ECO, NEXT), replace(SENT, deliver_by=date(2026, 11, 24)), MORNING)
    assert quote is not None
    assert quote.service == "NEXT"


@given(st.sampled_from([NEXT, ECO]), st.booleans(), st.lists(st.dates(), max_size=3, unique=True))
def test_a_service_says_on_the_wire_what_it_is(
    service: Service, suspended: bool, holidays: list[date]
) -> None:
    whole = replace(
        service,
        suspended=suspended,
        holidays=tuple(holidays),
        origins=("south",),
        surcharges=(Surcharge("home", 1, 2, ("PT",), ("9",), residential=True, longest_over_mm=3),),
    )
    assert service_from_wire(service_to_wire(whole)) == whole
