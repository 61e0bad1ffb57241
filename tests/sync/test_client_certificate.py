"""A broker that asks for client certificates of the hub's authority lets exactly those in."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from bodega.broker.connection import Broker, close, connect
from bodega.errors import Unavailable
from bodega_agent.identity import NewKey
from bodega_controlplane.authority import load_authority
from support.certificates import make_certificate
from support.nats import NatsServer

NODE = "lisbon-01"


async def reaches(broker: Broker) -> bool:
    try:
        client = await connect(broker, name=NODE, inbox_prefix=f"_INBOX_{NODE}", closed=asyncio.Event())
    except Unavailable:
        return False
    await close(client)
    return True


async def test_the_certificate_opens_the_broker_and_a_strange_or_broken_one_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    now_ms = time.time_ns() // 1_000_000
    ours, other = tmp_path / "ours", tmp_path / "other"
    for folder in (ours, other):
        folder.mkdir()
    authority = load_authority(ours, now_ms)
    (tmp_path / "ca.pem").write_bytes(authority.certificate)
    config = f'tls {{ cert_file: "{certificate}", key_file: "{key}", ca_file: "{tmp_path / "ca.pem"}", verify: true }}'
    server = NatsServer(tmp_path / "nats", config).start()
    url = server.url.replace("nats://", "tls://")
    pem = tmp_path / "client.pem"
    broker = Broker(url, client_pem=pem)
    assert not await reaches(broker), "there is no certificate yet"
    fresh = NewKey()
    pem.write_bytes(fresh.pem + authority.sign(NODE, fresh.request(NODE), now_ms))
    assert await reaches(broker), "it is used as soon as it is there, without a restart"
    stranger = NewKey()
    signed = load_authority(other, now_ms).sign(NODE, stranger.request(NODE), now_ms)
    pem.write_bytes(stranger.pem + signed)
    assert not await reaches(broker)
    pem.write_bytes(b"broken")
    with pytest.raises(Unavailable, match="cannot use the client certificate"):
        broker.tls()
    server.stop()


def test_a_plain_broker_on_this_machine_needs_no_tls(tmp_path: Path) -> None:
    assert Broker("nats://127.0.0.1:4222", client_pem=tmp_path / "none").tls() is None
