"""Promises and overrides end by the monotonic clock: at their time, never early, whatever other clocks say."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bodega.core.promise import OverrideRule
from bodega.errors import InvalidInput, Refused
from bodega_agent.services.expiry import ExpiryService
from bodega_agent.store import promises
from bodega_agent.store.clock import boot_time
from bodega_agent.store.expiry import expire_due
from bodega_agent.store.overrides import is_set_aside
from bodega_agent.store.store import Store
from support.node_under_test import opened_store
from support.promising import WHO, Clocks, able_to_promise, facts, post, release, reserve, shelve, standing

YEAR_MS = 365 * 24 * 3600 * 1000


async def states(store: Store) -> dict[str, str]:
    """Reservation id -> state."""
    return await store.write(lambda tx: dict(tx.execute("SELECT reservation_id, state FROM reservation")))


async def test_a_promise_expires_at_its_time_as_an_event_and_its_units_are_free_again(tmp_path: Path) -> None:
    clocks = Clocks()
    with opened_store(tmp_path, now_ms=clocks.now_ms, clock=clocks.clock) as store:
        await able_to_promise(store, rights=3, shelf=3)
        await reserve(store, "PU-1", 2, expires_after_ms=1_000)
        await reserve(store, "PU-2", 1)
        clocks.advance(999)
        assert await store.write(expire_due) == 0
        clocks.advance(1)
        assert await store.write(expire_due) == 1
        assert await store.write(expire_due) == 0
        assert await states(store) == {"PU-1": "expired", "PU-2": "pending"}
        name, told = (await facts(store))[-1]
        assert (name, told.event, told.state, told.voided) == ("reservation_changed", "expire", "expired", 2)
        left = await standing(store)
        assert (left.rights_held, left.available) == (3, 2)


@pytest.mark.parametrize("jump_ms", [YEAR_MS, -YEAR_MS])
async def test_a_wall_clock_that_jumps_a_year_neither_ends_a_promise_nor_keeps_it(
    tmp_path: Path, jump_ms: int
) -> None:
    clocks = Clocks()
    with opened_store(tmp_path, now_ms=clocks.now_ms, clock=clocks.clock) as store:
        await able_to_promise(store, rights=3, shelf=3)
        await reserve(store, "PU-1", 2, expires_after_ms=1_000)
        clocks.wall_ms += jump_ms
        clocks.advance(999)
        assert await store.write(expire_due) == 0
        clocks.advance(1)
        assert await store.write(expire_due) == 1


async def test_a_restart_of_the_agent_neither_ends_a_promise_nor_prolongs_it(tmp_path: Path) -> None:
    clocks = Clocks()
    with opened_store(tmp_path, now_ms=clocks.now_ms, clock=clocks.clock) as store:
        await able_to_promise(store, rights=3, shelf=3)
        await reserve(store, "PU-1", 2, expires_after_ms=1_000)
        await store.write(expire_due)
    clocks.advance(600)
    with opened_store(tmp_path, now_ms=clocks.now_ms, clock=clocks.clock) as store:
        assert await store.write(expire_due) == 0
        clocks.advance(400)
        assert await store.write(expire_due) == 1


async def test_after_a_reboot_a_promise_has_its_whole_time_again_and_then_ends(tmp_path: Path) -> None:
    clocks = Clocks()
    with opened_store(tmp_path, now_ms=clocks.now_ms, clock=clocks.clock) as store:
        await able_to_promise(store, rights=3, shelf=3)
        clocks.advance(50_000)
        await reserve(store, "PU-1", 1, expires_after_ms=1_000)
        await reserve(store, "PU-0", 1)
        clocks.advance(900)
    clocks.reboot()
    with opened_store(tmp_path, now_ms=clocks.now_ms, clock=clocks.clock) as store:
        for _ in range(3):
            assert await store.write(expire_due) == 0
            clocks.advance(333)
        clocks.advance(1)
        assert await store.write(expire_due) == 1
        assert await states(store) == {"PU-0": "pending", "PU-1": "expired"}


async def test_an_old_deadline_that_looks_passed_on_a_new_boot_is_not(tmp_path: Path) -> None:
    clocks = Clocks()
    with opened_store(tmp_path, now_ms=clocks.now_ms, clock=clocks.clock) as store:
        await able_to_promise(store, rights=3, shelf=3)
        await reserve(store, "PU-1", 1, expires_after_ms=1_000)
    clocks.reboot()
    clocks.advance(10_000)
    with opened_store(tmp_path, now_ms=clocks.now_ms, clock=clocks.clock) as store:
        with pytest.raises(Refused) as refused:
            await store.write(lambda tx: promises.expire(tx, WHO, reservation_id="PU-1"))
        assert refused.value.code == "not-due"
        assert await store.write(expire_due) == 0
        clocks.advance(1_000)
        assert await store.write(expire_due) == 1


async def test_what_has_ended_otherwise_does_not_expire_and_a_person_can_not_expire_early(
    tmp_path: Path,
) -> None:
    clocks = Clocks()
    with opened_store(tmp_path, now_ms=clocks.now_ms, clock=clocks.clock) as store:
        await able_to_promise(store, rights=5, shelf=5)
        for number in range(1, 4):
            await reserve(store, f"PU-{number}", 1, expires_after_ms=1_000)
        await release(store, "PU-1")
        await post(store, "PU-2", 1)
        with pytest.raises(Refused) as refused:
            await store.write(lambda tx: promises.expire(tx, WHO, reservation_id="PU-3"))
        assert refused.value.code == "not-due"
        clocks.advance(5_000)
        assert await store.write(expire_due) == 1
        assert await states(store) == {"PU-1": "voided", "PU-2": "posted", "PU-3": "expired"}


async def test_the_service_ends_them_on_the_clock_of_the_machine(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await able_to_promise(store, rights=1, shelf=1)
        begun = boot_time().ms
        await reserve(store, "PU-1", 1, expires_after_ms=30)
        head = (await store.head()).seq
        service = asyncio.create_task(ExpiryService(store, every_s=0.002).run())
        await asyncio.wait_for(store.wait_for_news(head), timeout=30)
        assert boot_time().ms - begun >= 30
        assert await states(store) == {"PU-1": "expired"}
        service.cancel()


async def hold(store: Store, override_id: str, **about: object) -> dict[str, object]:
    """Set a rule aside; a hold of SKU-1 for a second unless said otherwise."""
    said = {"rule": "hold", "sku_id": "SKU-1", "lot": "", "quantity": 0, "reason": "recall check"} | about
    expires_after_ms = said.pop("expires_after_ms", 1_000)
    return await store.write(
        lambda tx: promises.open_override(
            tx,
            WHO,
            override_id=override_id,
            expires_after_ms=expires_after_ms,  # type: ignore[arg-type]  # as the test says
            **said,  # type: ignore[arg-type]  # as the test says
        )
    )


async def test_a_hold_keeps_units_from_being_promised_until_it_is_closed_or_over(tmp_path: Path) -> None:
    clocks = Clocks()
    with opened_store(tmp_path, now_ms=clocks.now_ms, clock=clocks.clock) as store:
        await able_to_promise(store, rights=5, shelf=5)
        await hold(store, "H-1", quantity=2)
        await hold(store, "H-2", quantity=1, expires_after_ms=9_000)
        assert (await standing(store)).available == 2
        clocks.advance(1_000)
        assert await store.write(expire_due) == 1
        assert (await standing(store)).available == 4
        await store.write(lambda tx: promises.close_override(tx, WHO, override_id="H-2"))
        assert (await standing(store)).available == 5
        told = [one.state for name, one in await facts(store) if name == "override_changed"]
        assert told == ["open", "open", "expired", "closed"]
        with pytest.raises(Refused) as refused:
            await store.write(lambda tx: promises.close_override(tx, WHO, override_id="H-1"))
        assert refused.value.code == "illegal-transition"


async def test_an_expired_lot_is_not_promised_unless_a_person_says_so(tmp_path: Path) -> None:
    clocks = Clocks()
    with opened_store(tmp_path, now_ms=clocks.now_ms, clock=clocks.clock) as store:
        await able_to_promise(store, rights=9, shelf=1)
        await store.write(lambda tx: shelve(tx, "SKU-1", 4, lot="L1"))
        today = await store.write(lambda tx: tx.today())

        async def sellable_when_it_ends(day: str) -> int:
            row = "INSERT OR REPLACE INTO lot(sku_id, lot, expiry) VALUES ('SKU-1', 'L1', ?)"
            await store.write(lambda tx: tx.execute(row, (day,)))
            return (await standing(store)).sellable

        assert await sellable_when_it_ends(today) == 5
        assert await sellable_when_it_ends("2020-01-31") == 1
        await hold(store, "E-1", rule="expired", lot="L1")
        assert (await standing(store)).sellable == 5
        set_aside = await store.write(
            lambda tx: [is_set_aside(tx, OverrideRule.EXPIRED, "SKU-1", lot) for lot in ("L1", "L2")]
        )
        assert set_aside == [True, False]


async def test_an_override_needs_a_reason_and_an_end(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        for field, value in (
            ("reason", " "),
            ("expires_after_ms", 0),
            ("rule", "gravity"),
            ("quantity", -1),
            ("sku_id", ""),
        ):
            with pytest.raises(InvalidInput) as invalid:
                await hold(store, "H-1", **{field: value})
            assert field in {fault.where for fault in invalid.value.faults}
        await hold(store, "H-1")
        with pytest.raises(Refused) as refused:
            await hold(store, "H-1")
        assert refused.value.code == "override-twice"
