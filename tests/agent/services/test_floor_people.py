"""Who works: badges, PINs, roles and shifts, on the floor of a real store."""

from __future__ import annotations

from pathlib import Path

from bodega.limits_floor import PIN_REST_S, PIN_TRIES_MAX
from bodega_agent.store import expiry
from bodega_agent.store.transaction import Transaction
from support.associates import ANA_BADGE, ANA_PIN, LEA_PIN, PEOPLE, RUI_BADGE
from support.floor_rig import DEVICE, GS1_128, FloorRig, floor_rig, lived_through_crashes

OTHER = "scanner-2"


async def staffed(rig: FloorRig) -> None:
    await rig.hub.profile(associates=PEOPLE)
    await rig.hub.sku(1)


async def shifts(rig: FloorRig) -> list[tuple[str, str, str]]:
    return [(fact.associate_id, fact.state, fact.by) for fact in await rig.facts("shift_advanced")]


async def test_while_nobody_is_signed_in_nothing_is_done(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await staffed(rig)
        shown = await rig.scan("CMD-RECEIVE")
        assert (shown["tone"], shown["step"]) == ("error", "idle")
        assert shown["text"] == "Nobody is signed in here. Scan your badge, or type your name."
        assert shown["expect"] == {"kind": "badge", "values": []}, "badges are not told to programs"
        assert await rig.end() == ({}, [])


async def test_a_badge_signs_in_and_every_event_says_who_and_where(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await staffed(rig)
        shown = await rig.scan(RUI_BADGE)
        assert shown["text"] == "Hello, Rui. Ready. Scan what to do."
        await rig.scan("CMD-RECEIVE")
        await rig.item(1)
        assert await shifts(rig) == [("rui", "signed_in", "badge")]
        assert set(await rig.actors()) == {("rui", DEVICE)}


async def test_a_gsrn_badge_is_known_with_and_without_its_application_identifier(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await staffed(rig)
        for text, symbology in (
            (f"8018{ANA_BADGE}", GS1_128),
            (f"8017{ANA_BADGE}", GS1_128),
            (ANA_BADGE, "]C0"),
        ):
            shown = await rig.scan(text, symbology)
            assert shown["tone"] == "ok", text
            assert shown["text"].startswith("Hello, Ana.")
            await rig.scan("CMD-SIGNOUT")


async def test_a_pin_signs_in_and_the_name_may_be_typed_in_capitals(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await staffed(rig)
        shown = await rig.scan("ANA")
        assert shown["text"] == "PIN of Ana? Type it, or CMD-CANCEL."
        assert shown["expect"] == {"kind": "text", "values": [], "secret": True}
        assert (await rig.scan("4712"))["text"].startswith("That PIN is wrong. PIN of Ana?")
        shown = await rig.scan(ANA_PIN)
        assert shown["text"] == "Hello, Ana. Ready. Scan what to do."
        assert await shifts(rig) == [("ana", "signed_in", "pin")]


async def test_who_has_no_pin_needs_the_badge_and_cancel_gives_up_the_pin(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await staffed(rig)
        assert (await rig.scan("rui"))["text"].startswith("Rui has no PIN: scan the badge.")
        shown = await rig.play("lea", "CMD-CANCEL")
        assert shown["text"] == "Nobody was signed in. Scan your badge, or type your name."
        assert await shifts(rig) == []


async def test_wrong_pins_are_bounded_also_over_devices_and_restarts_and_a_badge_still_works(
    tmp_path: Path,
) -> None:
    async with floor_rig(tmp_path) as rig:
        await staffed(rig)
        await rig.scan("ana")
        for _ in range(PIN_TRIES_MAX - 2):
            assert "wrong" in (await rig.scan("0000"))["text"]
        await rig.crash()
        await rig.scan("ana", device=OTHER)
        assert "wrong" in (await rig.scan("0000", device=OTHER))["text"]
        shown = await rig.scan("0000", device=OTHER)
        assert shown["text"].startswith("Too many wrong PINs for Ana")
        (noted,) = await rig.facts("exception_noted")
        assert (noted.kind, noted.reference) == ("pin_locked", "ana")
        shown = await rig.scan(ANA_PIN)
        assert shown["text"].startswith("Too many wrong PINs for Ana"), "the right one does not help now"
        assert (await rig.scan(ANA_BADGE))["text"].startswith("Hello, Ana.")
        assert (await rig.play("CMD-SIGNOUT", "ana", ANA_PIN))["text"].startswith("Hello, Ana.")


async def test_a_pin_rests_for_its_time_and_then_may_be_tried_again(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await staffed(rig)

        async def sweep_after(seconds: float) -> None:
            def job(tx: Transaction) -> None:
                clock, now = tx.clock, tx.clock()
                tx.clock = lambda: now._replace(ms=now.ms + int(seconds * 1000))
                expiry.expire_due(tx)
                tx.clock = clock

            await rig.store.write(job)

        await sweep_after(0)
        await rig.play("lea", *["0000"] * PIN_TRIES_MAX)
        await sweep_after(PIN_REST_S - 5)
        assert (await rig.play("lea", LEA_PIN))["text"].startswith("Too many wrong PINs")
        await sweep_after(PIN_REST_S + 5)
        assert (await rig.play("lea", LEA_PIN))["text"].startswith("Hello, Lea.")


async def test_a_pin_is_nowhere_in_the_ledger(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await staffed(rig)
        await rig.play("lea", "9182736", LEA_PIN)
    told = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"Lea" in told
    assert LEA_PIN.encode() not in told
    assert b"9182736" not in told


async def test_who_signs_in_elsewhere_leaves_the_first_device_which_shows_it(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await staffed(rig)
        await rig.play(ANA_BADGE, "CMD-RECEIVE")
        await rig.scan(ANA_BADGE, device=OTHER)
        assert await shifts(rig) == [
            ("ana", "signed_in", "badge"),
            ("ana", "signed_out", "other_device"),
            ("ana", "signed_in", "badge"),
        ]
        assert await rig.actors() == [("ana", DEVICE), ("ana", DEVICE), ("ana", OTHER)]
        shown = rig.board.current(DEVICE)
        assert shown is not None
        assert (shown["text"], shown["detail"]) == (
            "Scan your badge, or type your name.",
            ["in the middle of receive"],
        )


async def test_a_change_of_shift_in_the_middle_of_a_flow_goes_on_with_it(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await staffed(rig)
        await rig.play(ANA_BADGE, "CMD-RECEIVE")
        await rig.item(1)
        shown = await rig.scan(RUI_BADGE)
        assert shown["text"].startswith("Hello, Rui. You go on with receive; CMD-CANCEL leaves it.")
        await rig.item(1)
        assert await shifts(rig) == [
            ("ana", "signed_in", "badge"),
            ("ana", "signed_out", "somebody_else"),
            ("rui", "signed_in", "badge"),
        ]
        assert [who for who, _ in await rig.actors()] == ["ana"] * 4 + ["rui"] * 2


async def test_after_a_break_the_flow_goes_on_where_it_was(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await staffed(rig)
        await rig.play(ANA_BADGE, "CMD-RECEIVE")
        shown = await rig.scan("CMD-SIGNOUT")
        assert shown["text"] == "Goodbye, Ana. Scan your badge, or type your name."
        assert (await rig.item(1))["tone"] == "error"
        await rig.scan(ANA_BADGE)
        assert (await rig.item(1))["step"] == "receive_item"
        assert await rig.held("DOCK", "SKU-1") == 1


async def test_a_node_without_a_list_of_people_asks_nobody(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await rig.hub.profile()
        assert (await rig.scan("CMD-RECEIVE"))["step"] == "receive_item"
        assert (await rig.scan("CMD-SIGNOUT"))["text"].startswith("Nobody is signed in here.")
        assert (await rig.scan(RUI_BADGE))["tone"] == "error"


async def test_who_is_taken_off_the_list_is_out_at_the_next_scan(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await staffed(rig)
        await rig.scan(RUI_BADGE)
        await rig.hub.profile(associates=PEOPLE[:1])
        assert (await rig.scan("CMD-RECEIVE"))["text"].startswith("Nobody is signed in here.")


async def test_a_shift_with_a_crash_at_every_scan() -> None:
    async def story(rig: FloorRig) -> None:
        await staffed(rig)
        await rig.play("lea", LEA_PIN, "CMD-RECEIVE")
        await rig.item(1)
        await rig.play(RUI_BADGE, "CMD-DONE", "CMD-SIGNOUT")

    assert await lived_through_crashes(story) == 7
