"""Where webhooks may call: what a name leads to is checked, that very address is called, and its certificate too."""

from __future__ import annotations

import asyncio
import socket
import ssl
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.errors import Unavailable
from bodega_controlplane.rules.reach import Reach
from bodega_controlplane.services.posting import Poster
from support.certificates import make_certificate
from support.hooks import receiver

LOOPBACK = Reach((ip_network("127.0.0.0/8"),))


async def call(poster: Poster, url: str) -> int:
    async with poster.line_to(url) as line:
        return (await line.post(b"{}", {"webhook-id": "evt_1"})).status


def names(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """From now on every name leads to these addresses, one look after the other; the names asked for."""
    asked, left = [], list(addresses)

    async def look_up(host: str, port: int, **_about: object) -> list[tuple]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (left.pop(0), port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    return asked


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
        "192.0.0.8",
        "fec0::1",
        "3fff::1",
    ],
)
def test_no_address_of_the_inside_may_be_called(address: str) -> None:
    assert Reach().problem_of(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_the_public_internet_may_be(address: str) -> None:
    assert Reach().problem_of(ip_address(address)) == ""


@given(st.ip_addresses())
def test_what_is_named_may_be_called_and_nothing_else_for_it(address) -> None:
    named = Reach((ip_network("10.1.0.0/16"),))
    inside = address in ip_network("10.1.0.0/16") if address.version == 4 else None
    assert not (inside and named.problem_of(address))
    if inside is False:
        assert named.problem_of(address) == Reach().problem_of(address)


async def test_a_name_that_leads_inside_is_not_called_and_its_owner_learns_no_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names(monkeypatch, "10.0.0.5")
    with pytest.raises(Unavailable) as refused:
        await call(Poster(Reach()), "https://rebound.example/hooks")
    assert "may not be called" in refused.value.message
    assert "10.0.0.5" not in refused.value.message


async def test_a_name_that_changes_between_the_look_and_the_call_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding: the second look would lead to a server in here. There is no second look."""
    with receiver() as inside:
        asked = names(monkeypatch, "127.0.0.2", "127.0.0.1")
        port = inside.url.rsplit(":", 1)[1].split("/")[0]
        only = Poster(Reach((ip_network("127.0.0.2/32"),)))
        with pytest.raises(Unavailable, match="can not be reached"):
            await call(only, f"http://rebound.example:{port}/hooks")
        assert asked == ["rebound.example"]
        assert inside.calls == []


async def test_plain_http_is_for_networks_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, "93.184.215.14")
    with pytest.raises(Unavailable, match="may not be called"):
        await call(Poster(LOOPBACK), "http://shop.example/hooks")


async def test_the_server_hears_the_name_that_the_url_has(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as shop:
        names(monkeypatch, "127.0.0.1")
        port = shop.url.rsplit(":", 1)[1].split("/")[0]
        assert await call(Poster(LOOPBACK), f"http://shop.example:{port}/hooks?a=1") == 204
        assert (shop.calls[0].headers["host"], shop.calls[0].path) == (f"shop.example:{port}", "/hooks?a=1")


async def test_a_certificate_is_trusted_only_from_whom_and_for_whom_it_was_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate, key = make_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with receiver(tls) as shop:
        trusting = Poster(LOOPBACK, certificate)
        assert await call(trusting, shop.url) == 204
        with pytest.raises(Unavailable, match="certificate can not be trusted"):
            await call(Poster(LOOPBACK), shop.url)
        # The certificate is for 127.0.0.1: the name that leads there is not in it.
        names(monkeypatch, "127.0.0.1")
        with pytest.raises(Unavailable, match="certificate can not be trusted"):
            await call(trusting, shop.url.replace("127.0.0.1", "shop.example"))
        assert len(shop.calls) == 1


async def test_an_answer_without_end_is_cut_off() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
                await writer.drain()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(endless, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await call(Poster(LOOPBACK), f"http://127.0.0.1:{port}/") == 200


async def test_a_name_that_leads_nowhere_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nowhere(*_args: object, **_about: object) -> list[tuple]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nowhere)
    with pytest.raises(Unavailable, match="leads nowhere"):
        await call(Poster(Reach()), "https://shop.example/")
