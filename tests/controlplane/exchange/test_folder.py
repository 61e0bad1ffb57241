"""A folder that two share: nothing is taken half, nothing twice, nothing is lost in a crash."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bodega.limits_hub import EXCHANGE_FILE_BYTES_MAX
from bodega_controlplane.exchange.folder import FolderExchange
from bodega_controlplane.exchange.ports import Arrived, Outgoing


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def opened(folder: Path, clock: Clock) -> FolderExchange:
    return FolderExchange(folder, settled_s=3, lease_s=60, clock=clock)


async def settled(exchange: FolderExchange, clock: Clock) -> Arrived | None:
    """What is taken after the files have lain still."""
    assert await exchange.take() is None
    clock.now += 3
    return await exchange.take()


def drop(folder: Path, name: str, body: bytes = b"reference\n") -> Path:
    path = folder / "inbox" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


async def test_a_file_is_taken_once_it_has_lain_still_and_put_away_under_a_name_of_its_own(
    tmp_path: Path, clock: Clock
) -> None:
    exchange = opened(tmp_path, clock)
    drop(tmp_path, "orders.csv", b"one")
    arrived = await settled(exchange, clock)
    assert arrived is not None
    assert (arrived.name, arrived.body) == ("orders.csv", b"one")
    await exchange.put_away(arrived, [Outgoing("orders.ack.csv", b"ok")], good=True)
    assert (tmp_path / "outbox" / "orders.ack.csv").read_bytes() == b"ok"
    assert [path.name for path in (tmp_path / "done").iterdir()] == ["orders.7692c3ad.csv"]
    assert not list((tmp_path / "work").iterdir())


async def test_a_file_that_still_grows_is_left_alone(tmp_path: Path, clock: Clock) -> None:
    exchange = opened(tmp_path, clock)
    path = drop(tmp_path, "orders.csv", b"half")
    assert await settled_but_growing(exchange, clock, path) is None
    clock.now += 3
    arrived = await exchange.take()
    assert arrived is not None
    assert arrived.body == b"half and half"


async def settled_but_growing(exchange: FolderExchange, clock: Clock, path: Path) -> Arrived | None:
    assert await exchange.take() is None
    path.write_bytes(b"half and half")
    clock.now += 3
    return await exchange.take()


@pytest.mark.parametrize("name", [".orders.csv", "orders.csv.part", "orders.csv.tmp", "orders.csv.filepart"])
async def test_names_of_half_written_files_are_never_taken(tmp_path: Path, clock: Clock, name: str) -> None:
    drop(tmp_path, name)
    assert await settled(opened(tmp_path, clock), clock) is None


async def test_a_link_to_another_file_is_never_followed(tmp_path: Path, clock: Clock) -> None:
    drop(tmp_path, "orders.csv").unlink()
    secret = tmp_path / "secret"
    secret.write_text("password")
    (tmp_path / "inbox" / "orders.csv").symlink_to(secret)
    assert await settled(opened(tmp_path, clock), clock) is None


async def test_of_two_instances_one_has_the_file(tmp_path: Path, clock: Clock) -> None:
    one, other = opened(tmp_path, clock), opened(tmp_path, clock)
    drop(tmp_path, "orders.csv")
    assert await one.take() is None
    assert await other.take() is None
    clock.now += 3
    assert await one.take() is not None
    assert await other.take() is None


async def test_what_a_dead_instance_has_left_is_taken_over_and_what_lives_is_not(
    tmp_path: Path, clock: Clock
) -> None:
    one, other = opened(tmp_path, clock), opened(tmp_path, clock)
    drop(tmp_path, "orders.csv", b"one")
    arrived = await settled(one, clock)
    assert arrived is not None
    clock.now += 59
    await one.keep_alive(arrived)
    clock.now += 59
    assert await other.take() is None
    clock.now += 2
    again = await other.take()
    assert again is not None
    assert (again.name, again.body) == ("orders.csv", b"one")


async def test_two_files_of_one_name_stay_two(tmp_path: Path, clock: Clock) -> None:
    exchange = opened(tmp_path, clock)
    for body in (b"monday", b"tuesday"):
        drop(tmp_path, "orders.csv", body)
        arrived = await settled(exchange, clock)
        assert arrived is not None
        await exchange.put_away(arrived, [], good=False)
    assert {path.read_bytes() for path in (tmp_path / "failed").iterdir()} == {b"monday", b"tuesday"}


async def test_the_shop_may_read_what_it_is_sent_and_never_sees_half_of_it(
    tmp_path: Path, clock: Clock
) -> None:
    exchange = opened(tmp_path, clock)
    await exchange.take()
    before = os.umask(0o077)
    try:
        await exchange.send(Outgoing("shipments-1.csv", b"rows"))
    finally:
        os.umask(before)
    (sent,) = (tmp_path / "outbox").iterdir()
    assert sent.read_bytes() == b"rows"
    assert stat.S_IMODE(sent.stat().st_mode) == 0o640


async def test_old_files_are_thrown_away_because_they_hold_addresses(tmp_path: Path, clock: Clock) -> None:
    exchange = opened(tmp_path, clock)
    drop(tmp_path, "orders.csv")
    arrived = await settled(exchange, clock)
    assert arrived is not None
    await exchange.put_away(arrived, [], good=True)
    clock.now += 100
    assert await exchange.tidy(100) == 0
    assert await exchange.tidy(99) == 1
    assert not list((tmp_path / "done").iterdir())


async def test_no_more_of_a_file_is_read_than_the_bound_and_one_byte(tmp_path: Path, clock: Clock) -> None:
    with drop(tmp_path, "orders.csv").open("wb") as file:
        file.truncate(EXCHANGE_FILE_BYTES_MAX + 100)
    arrived = await settled(opened(tmp_path, clock), clock)
    assert arrived is not None
    assert len(arrived.body) == EXCHANGE_FILE_BYTES_MAX + 1


async def test_the_shops_own_file_is_read_and_moved_but_never_written_to(
    tmp_path: Path, clock: Clock
) -> None:
    """It belongs to the shop's user: nobody else may set its times, or let others read it."""
    exchange = opened(tmp_path, clock)
    path = drop(tmp_path, "orders.csv", b"one")
    path.chmod(0o640)
    os.utime(path, (5, 5))
    other_name_of_it = tmp_path / "seen-by-the-shop"
    other_name_of_it.hardlink_to(path)
    arrived = await settled(exchange, clock)
    assert arrived is not None
    clock.now += 30
    await exchange.keep_alive(arrived)
    await exchange.put_away(arrived, [], good=True)
    assert other_name_of_it.stat().st_mtime == 5
    (kept,) = (tmp_path / "done").iterdir()
    assert not kept.samefile(other_name_of_it), "a copy of ours, which can be tidied by its age"
    assert (kept.read_bytes(), kept.stat().st_mtime) == (b"one", clock.now)
    assert not list((tmp_path / "work").iterdir())


@pytest.mark.parametrize(
    "name",
    [
        b"a" * 251 + b".csv",
        "ação".encode() * 40 + b".csv",
        b"caf\xe9.csv",
        b"a." + b"b" * 200,
    ],
    ids=["as long as a file system takes", "long in bytes", "not UTF-8", "all ending"],
)
async def test_a_name_that_answers_could_not_have_does_not_stop_the_files_after_it(
    tmp_path: Path, clock: Clock, name: bytes
) -> None:
    exchange = opened(tmp_path, clock)
    drop(tmp_path, "orders.csv")
    (tmp_path / "inbox" / os.fsdecode(name)).write_bytes(b"x")
    arrived = await settled(exchange, clock)
    while arrived is not None:
        stem = Path(arrived.name.encode().decode()).stem
        await exchange.put_away(arrived, [Outgoing(f"{stem}.3fa9c1d2.errors.csv", b"")], good=False)
        arrived = await exchange.take()
    assert len(list((tmp_path / "failed").iterdir())) == 2
    assert len(list((tmp_path / "outbox").iterdir())) == 2


async def test_a_sign_of_life_without_a_file_goes_with_the_old_files(tmp_path: Path, clock: Clock) -> None:
    exchange = opened(tmp_path, clock)
    drop(tmp_path, "orders.csv")
    arrived = await settled(exchange, clock)
    assert arrived is not None
    (tmp_path / "work" / arrived.token).unlink()
    clock.now += 100
    assert await exchange.tidy(99) == 1
    assert not list((tmp_path / "work").iterdir())
