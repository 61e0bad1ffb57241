"""The services for nodes over HTTP/2: the client certificate says who calls, and nothing else does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from bodega.broker.rpc_asking import ask
from bodega.errors import PermissionRefused, Unauthenticated, Unavailable
from bodega.v1 import artifacts_pb2, controlplane_pb2, renewal_pb2
from bodega.v1.artifacts_pb2_grpc import ArtifactServiceStub
from bodega.v1.controlplane_pb2_grpc import NodeServiceStub
from bodega.v1.renewal_pb2_grpc import RenewalServiceStub
from bodega_agent.identity import NewKey
from bodega_controlplane.api.grpc.binding import bind
from bodega_controlplane.api.node.caller import node_of
from bodega_controlplane.api.node.services import NodeServices
from bodega_controlplane.artifacts import Shelf
from bodega_controlplane.authority import Authority, load_authority
from support.certificates import make_certificate
from support.faces import OPERATOR, grpc_channel, stocked_hub

NODE = "lisbon-01"
SOON_S = 30.0


@dataclass
class Face:
    """Where nodes call, and what they need for it."""

    address: str
    root: bytes
    authority: Authority
    now_ms: int

    def channel(self, node_id: str | None) -> grpc.aio.Channel:
        """With the certificate of a node, or without any."""
        if node_id is None:
            return grpc.aio.secure_channel(self.address, grpc.ssl_channel_credentials(self.root))
        key = NewKey()
        certificate = self.authority.sign(node_id, key.request(node_id), self.now_ms)
        credentials = grpc.ssl_channel_credentials(self.root, key.pem, certificate)
        return grpc.aio.secure_channel(self.address, credentials)


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[Face]:
    certificate = make_certificate(tmp_path)
    shelf = tmp_path / "artifacts"
    shelf.mkdir()
    (shelf / "model.onnx").write_bytes(b"a model")
    with stocked_hub(tmp_path, TEA=1) as hub:
        authority = load_authority(tmp_path, hub.now_ms())
        server = NodeServices(hub, Shelf(shelf), authority).over_http2()
        port = bind(server, "127.0.0.1:0", certificate, clients=authority.certificate)
        await server.start()
        yield Face(f"127.0.0.1:{port}", certificate[0].read_bytes(), authority, hub.now_ms())
        await server.stop(None)


async def test_a_node_with_a_certificate_reads_artifacts_and_renews_for_itself_only(face: Face) -> None:
    async with face.channel(NODE) as channel:
        request = artifacts_pb2.GetArtifactRangeRequest(name="model.onnx", offset=2)
        answer = await ask(ArtifactServiceStub(channel).GetArtifactRange, request, timeout_s=SOON_S)
        assert answer.content == b"model"
        key = NewKey()
        renewal = RenewalServiceStub(channel)
        own = renewal_pb2.RenewCertificateRequest(csr=key.request(NODE))
        given = await ask(renewal.RenewCertificate, own, timeout_s=SOON_S)
        assert key.fault_in(given.certificate, given.authority, NODE) == ""
        foreign = renewal_pb2.RenewCertificateRequest(csr=key.request("porto-01"))
        with pytest.raises(PermissionRefused):
            await ask(renewal.RenewCertificate, foreign, timeout_s=SOON_S)


async def test_without_a_certificate_of_our_authority_nobody_gets_in(face: Face, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    stranger = Face(face.address, face.root, load_authority(other, face.now_ms), face.now_ms)
    for channel in (face.channel(None), stranger.channel(NODE)):
        async with channel:
            with pytest.raises(Unavailable):
                await ask(
                    ArtifactServiceStub(channel).ListArtifacts,
                    artifacts_pb2.ListArtifactsRequest(),
                    timeout_s=SOON_S,
                )


async def test_a_claim_in_the_metadata_is_refused_on_both_faces(face: Face, tmp_path: Path) -> None:
    claim = (("bodega-node", "porto-01"),)
    async with face.channel(NODE) as channel:
        listing: Any = ArtifactServiceStub(channel).ListArtifacts
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await listing(artifacts_pb2.ListArtifactsRequest(), metadata=claim)
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    elsewhere = tmp_path / "operators"
    elsewhere.mkdir()
    with stocked_hub(elsewhere, TEA=1) as hub:
        async with grpc_channel(hub) as channel:
            listing = NodeServiceStub(channel).ListNodes
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await listing(controlplane_pb2.ListNodesRequest(), metadata=(*OPERATOR, *claim))
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


class Asked:
    """The two answers of a context that `node_of` looks at."""

    def __init__(self, metadata: tuple[tuple[str, str], ...] = (), **auth: list[bytes]) -> None:
        self._metadata, self._auth = metadata, auth

    def auth_context(self) -> dict[str, list[bytes]]:
        return self._auth

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return self._metadata


def test_the_certificate_outranks_what_the_metadata_says_and_nobody_is_guessed() -> None:
    said = (("bodega-node", "porto-01"),)
    assert node_of(Asked(said)) == "porto-01"
    assert node_of(Asked(said, x509_common_name=[b"lisbon-01"])) == "lisbon-01"
    with pytest.raises(Unauthenticated):
        node_of(Asked())


async def test_diagnosing_a_node_that_is_out_of_touch_is_unavailable_and_an_unknown_one_not_found(
    tmp_path: Path,
) -> None:
    with stocked_hub(tmp_path, TEA=1) as hub:
        async with grpc_channel(hub) as channel:
            stub = NodeServiceStub(channel)
            for node_id, code in (
                (NODE, grpc.StatusCode.UNAVAILABLE),
                ("nowhere", grpc.StatusCode.NOT_FOUND),
            ):
                request = controlplane_pb2.DiagnoseNodeRequest(node_id=node_id)
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await stub.DiagnoseNode(request, metadata=OPERATOR)
                assert refused.value.code() is code
