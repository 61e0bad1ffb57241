"""The operator's token crosses a network inside TLS or not at all."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bodega.host.addresses import is_loopback
from bodega_controlplane.api.grpc.binding import bind
from bodega_controlplane.api.grpc.server import build_server
from support.bodegactl import bodegactl
from support.certificates import make_certificate
from support.faces import TOKENS, stocked_hub


async def test_a_hub_with_a_certificate_is_asked_over_tls_only(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    token = tmp_path / "operator.token"
    token.write_text(TOKENS.operator, encoding="ascii")
    with stocked_hub(tmp_path, TEA=1) as hub:
        server = build_server(hub, TOKENS)
        address = f"127.0.0.1:{bind(server, '127.0.0.1:0', (certificate, key))}"
        await server.start()
        try:
            ask = ("nodes", "ls", "--hub", address, "--token-file", token)
            trusted = await asyncio.to_thread(bodegactl, *ask, "--ca-file", certificate)
            plain = await asyncio.to_thread(bodegactl, *ask)
        finally:
            await server.stop(grace=None)
    assert "lisbon-01" in trusted.out, trusted.err
    assert plain.code == 69


def test_roots_that_cannot_be_read_are_one_clear_line(tmp_path: Path) -> None:
    token = tmp_path / "operator.token"
    token.write_text("t", encoding="ascii")
    said = bodegactl("nodes", "ls", "--token-file", token, "--ca-file", tmp_path / "none.pem")
    assert (said.code, "none.pem" in said.err) == (78, True)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_needs_no_tls(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "hub.example.net", "0.0.0.0", "::", "localhost.example.net"])
def test_everything_else_does(host: str) -> None:
    assert not is_loopback(host)
