"""The demo's parts on real things: sockets for the cable, zxing for the tray, a folder for the run."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path

import pytest

from bodega.errors import AddressInUse, Refused
from bodega_adapters.simulated.tray_picture import HEIGHT_PX, WIDTH_PX, tray_picture
from bodega_agent.demo import folder
from bodega_agent.demo.broker import Broker, node_permissions
from bodega_agent.demo.catalogue import catalogue
from bodega_agent.demo.huddle import Huddle
from bodega_agent.demo.proxy import Cable
from bodega_agent.demo.shelves import Shelves


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1024):
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.fixture
async def cable():
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    cable = Cable(server.sockets[0].getsockname()[1])
    await cable.start()
    yield cable
    await cable.close()
    server.close()
    await server.wait_closed()


async def test_what_is_sent_during_a_cut_arrives_after_the_heal(cable: Cable) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", cable.port)
    writer.write(b"before")
    assert await reader.readexactly(6) == b"before"
    cable.cut()
    writer.write(b"during")
    answer = asyncio.create_task(reader.readexactly(6))
    done, _ = await asyncio.wait({answer}, timeout=0.05)
    assert not done, "nothing passes a cut cable"
    cable.heal()
    assert await answer == b"during"
    writer.close()


async def test_a_connection_made_during_a_cut_waits_for_the_heal(cable: Cable) -> None:
    cable.cut()
    reader, writer = await asyncio.open_connection("127.0.0.1", cable.port)
    writer.write(b"hello")
    cable.heal()
    assert await reader.readexactly(5) == b"hello"
    writer.close()


async def test_the_cable_keeps_a_book_of_its_cuts(cable: Cable) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", cable.port)
    cable.cut()
    cable.cut()
    cable.heal()
    assert [cut.used_ms for cut in cable.cuts] == [None]
    writer.write(b"x")
    await reader.readexactly(1)
    cut = cable.cuts[0]
    assert cut.healed_ms is not None
    assert cut.used_ms is not None
    assert cut.began_ms <= cut.healed_ms <= cut.used_ms
    writer.close()


async def test_closing_a_cut_cable_lets_nobody_hang(cable: Cable) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", cable.port)
    writer.write(b"x")
    await reader.readexactly(1)
    cable.cut()
    await cable.close()
    with contextlib.suppress(ConnectionError):
        assert await reader.read(1) == b""
    writer.close()


def test_a_tray_picture_shows_the_item_that_lies_on_it() -> None:
    cv2 = pytest.importorskip("cv2")
    import numpy as np
    import zxingcpp

    product = catalogue()[17]
    picture = cv2.imdecode(np.frombuffer(tray_picture(product.ean13), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [product.ean13]


def test_a_kept_folder_is_emptied_only_if_the_demo_made_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / folder.KEPT
    mine.mkdir()
    (mine / "letter.txt").write_text("dear diary")
    with pytest.raises(Refused), folder.run_folder(keep=True):
        pass
    assert (mine / "letter.txt").exists()


def test_two_kept_runs_do_not_share_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with folder.run_folder(keep=True) as first:
        (first.root / "hub").mkdir()
        with pytest.raises(AddressInUse), folder.run_folder(keep=True):
            pass
        assert (first.root / "hub").exists()
    with folder.run_folder(keep=True) as second:
        assert not (second.root / "hub").exists()


def test_a_temporary_folder_goes_unless_something_is_to_be_kept() -> None:
    with folder.run_folder(keep=False) as gone:
        pass
    assert not gone.root.exists()
    assert not gone.runtime.exists()
    with folder.run_folder(keep=False) as kept:
        kept.keep = True
    assert kept.root.exists()
    kept.root.rmdir()


def test_secrets_of_the_broker_are_for_their_owner_only(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    broker = Broker(tmp_path, tmp_path, ["lisbon-01"])
    files = [tmp_path / "nats.conf", broker.password_file("hub"), broker.password_file("lisbon-01")]
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600] * 3
    assert broker.password("hub") != broker.password("lisbon-01")


def test_a_node_may_only_touch_its_own_subjects() -> None:
    rights = node_permissions("lisbon-01")
    assert "porto" not in json.dumps(rights)
    for subject in [*rights["publish"], *rights["subscribe"]]:
        assert "lisbon-01" in subject
    assert rights["allow_responses"]["max"] == 1, "a call of the hub is answered once"


def test_shelves_know_what_hands_have_done() -> None:
    shelves = Shelves()
    shelves.unload("A", 3)
    shelves.put_away("A", 3, "A-01-01")
    for order in ("f1", "f2", "f3"):
        shelves.take("A-01-01", "A")
        shelves.pick("A-01-01", "A", order)
    shelves.put_back(["f2", "f3"], "A", 2, "A-01-01")
    shelves.hand_over("f1")
    assert (shelves.on_shelf("A-01-01", "A"), shelves.shipped["A"], shelves.on_stage("f2", "A")) == (2, 1, 0)
    with pytest.raises(AssertionError, match="not there"):
        shelves.take("A-09-01", "A")
    with pytest.raises(AssertionError, match="in hand"):
        shelves.pick("A-01-01", "A", "f3")


def test_a_unit_in_hand_lies_nowhere_until_it_is_put_down() -> None:
    shelves = Shelves()
    shelves.unload("A", 1)
    shelves.put_away("A", 1, "A-01-01")
    shelves.take("A-01-01", "A")
    assert (shelves.on_shelf("A-01-01", "A"), shelves.hands["A-01-01", "A"]) == (0, 1)
    shelves.put_down("A-01-01", "A")
    assert (shelves.on_shelf("A-01-01", "A"), shelves.hands["A-01-01", "A"]) == (1, 0)


def test_what_one_has_taken_nobody_else_goes_for() -> None:
    huddle = Huddle()
    assert [huddle.takes("parcel 1"), huddle.takes("parcel 1"), huddle.is_taken("parcel 1")] == [
        True,
        False,
        True,
    ]
    huddle.leaves("parcel 1")
    assert huddle.takes("parcel 1")
