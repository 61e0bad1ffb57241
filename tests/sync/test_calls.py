"""The services behind calls over the broker: artifacts in ranges, certificates, diagnosis; hub and node are real."""

from __future__ import annotations

import hashlib
import os
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509

from bodega.broker.rpc_asking import ask
from bodega.errors import (
    IntegrityBroken,
    InvalidInput,
    NotFound,
    PeerFault,
    PermissionRefused,
    Refused,
    Unavailable,
)
from bodega.limits import ARTIFACT_RANGE_BYTES_MAX, CERTIFICATE_LASTS_S, CERTIFICATE_RENEWED_RATIO
from bodega.v1 import artifacts_pb2, diagnosis_pb2, renewal_pb2
from bodega.v1.artifacts_pb2_grpc import ArtifactServiceStub
from bodega.v1.diagnosis_pb2_grpc import DiagnosisServiceStub
from bodega.v1.renewal_pb2_grpc import RenewalServiceStub
from bodega_agent.identity import Certificate, NewKey
from bodega_agent.services.fetching import Fetcher
from bodega_agent.services.renewing import RenewingService
from support.node_and_hub import NODE, Pair
from support.waiting import until

SOON_S = 30.0
BIG = 3 * ARTIFACT_RANGE_BYTES_MAX + 17


def put(both: Pair, name: str, content: bytes) -> bytes:
    """On the hub's shelf; its digest."""
    (both.folder / "artifacts" / name).write_bytes(content)
    return hashlib.sha256(content).digest()


@pytest.fixture
async def online(both: Pair) -> Pair:
    await until(lambda: both.link.connected)
    return both


async def test_an_artifact_is_fetched_whole_in_ranges_and_once(online: Pair, tmp_path: Path) -> None:
    content = bytes(range(256)) * (BIG // 256 + 1)
    digest = put(online, "model.onnx", content)
    stub = ArtifactServiceStub(online.link.channel())
    listed = await ask(stub.ListArtifacts, artifacts_pb2.ListArtifactsRequest(), timeout_s=SOON_S)
    assert [(one.name, one.size_bytes, one.sha256) for one in listed.artifacts] == [
        ("model.onnx", len(content), digest)
    ]
    fetcher = Fetcher(online.link.channel, tmp_path / "fetched")
    path = await fetcher.fetch("model.onnx", digest=digest, size_bytes_max=len(content))
    assert path.read_bytes() == content
    (online.folder / "artifacts" / "model.onnx").unlink()
    assert await fetcher.fetch("model.onnx", digest=digest, size_bytes_max=len(content)) == path
    assert [one.name for one in (tmp_path / "fetched").iterdir()] == ["model.onnx"]


class Breaking:
    """A channel whose link breaks after some ranges."""

    def __init__(self, online: Pair, calls: int) -> None:
        self._channel = online.link.channel()
        self._left = calls

    def unary_unary(self, *given, **more):
        method = self._channel.unary_unary(*given, **more)

        def call(request, **options):
            if self._left == 0:
                raise Unavailable("the link is lost")
            self._left -= 1
            return method(request, **options)

        return call


async def test_a_fetch_goes_on_where_a_lost_link_left_it(online: Pair, tmp_path: Path) -> None:
    content = b"x" * ARTIFACT_RANGE_BYTES_MAX + b"y" * ARTIFACT_RANGE_BYTES_MAX + b"z"
    digest = put(online, "model.onnx", content)
    with pytest.raises(Unavailable):
        await Fetcher(lambda: Breaking(online, 2), tmp_path).fetch(
            "model.onnx", digest=digest, size_bytes_max=len(content)
        )
    (part,) = tmp_path.glob("*.part")
    assert part.stat().st_size == 2 * ARTIFACT_RANGE_BYTES_MAX
    path = await Fetcher(lambda: Breaking(online, 1), tmp_path).fetch(
        "model.onnx", digest=digest, size_bytes_max=len(content)
    )
    assert path.read_bytes() == content


async def test_bytes_without_the_digest_are_thrown_away(online: Pair, tmp_path: Path) -> None:
    digest = put(online, "model.onnx", b"new bytes")
    (tmp_path / f"model.onnx.{digest.hex()[:16]}.part").write_bytes(b"old")
    fetcher = Fetcher(online.link.channel, tmp_path)
    with pytest.raises(IntegrityBroken):
        await fetcher.fetch("model.onnx", digest=digest, size_bytes_max=100)
    assert (await fetcher.fetch("model.onnx", digest=digest, size_bytes_max=100)).read_bytes() == b"new bytes"
    with pytest.raises(PeerFault, match="another artifact"):
        await fetcher.fetch("model.onnx", digest=bytes(32), size_bytes_max=100)
    put(online, "large", bytes(101))
    with pytest.raises(Refused, match="101 bytes, 100"):
        await fetcher.fetch("large", digest=hashlib.sha256(bytes(101)).digest(), size_bytes_max=100)


@pytest.mark.parametrize(
    ("name", "length", "error"),
    [
        ("../hub/hub.key", 1, InvalidInput),
        (".hidden", 1, InvalidInput),
        ("a/b", 1, InvalidInput),
        ("nothing", 1, NotFound),
        ("link", 1, NotFound),
        ("folder", 1, NotFound),
        ("pipe", 1, NotFound),
        ("file", ARTIFACT_RANGE_BYTES_MAX + 1, InvalidInput),
    ],
)
async def test_only_plain_files_of_the_shelf_are_given(
    online: Pair, name: str, length: int, error: type[Exception]
) -> None:
    put(online, "file", b"content")
    (online.folder / "artifacts" / "link").symlink_to(online.folder / "hub" / "hub.key")
    (online.folder / "artifacts" / "folder").mkdir()
    os.mkfifo(online.folder / "artifacts" / "pipe")
    stub = ArtifactServiceStub(online.link.channel())
    request = artifacts_pb2.GetArtifactRangeRequest(name=name, length=length)
    with pytest.raises(error):
        await ask(stub.GetArtifactRange, request, timeout_s=SOON_S)
    listed = await ask(stub.ListArtifacts, artifacts_pb2.ListArtifactsRequest(), timeout_s=SOON_S)
    assert [one.name for one in listed.artifacts] == ["file"]
    beyond = artifacts_pb2.GetArtifactRangeRequest(name="file", offset=2**64 - 1)
    assert (await ask(stub.GetArtifactRange, beyond, timeout_s=SOON_S)).content == b""


async def test_a_node_gets_a_certificate_for_itself_and_renews_it_after_two_thirds(
    online: Pair, tmp_path: Path
) -> None:
    now = [online.hub.now_ms() / 1000]
    path = tmp_path / "identity" / "client.pem"
    renewing = RenewingService(NODE, path, online.link.channel, now_s=lambda: now[0])
    assert await renewing.renew_if_due()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    ssl.create_default_context().load_cert_chain(path)  # the key is that of the certificate
    first = path.read_bytes()
    read = x509.load_pem_x509_certificate(first[first.find(b"-----BEGIN CERT") :])
    assert [attribute.value for attribute in read.subject] == [NODE]
    assert renewing.ends_s == pytest.approx(now[0] + CERTIFICATE_LASTS_S, abs=5)
    usage = read.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.ExtendedKeyUsageOID.CLIENT_AUTH]

    assert not await renewing.renew_if_due()
    now[0] += CERTIFICATE_LASTS_S * CERTIFICATE_RENEWED_RATIO - 4000
    assert not await renewing.renew_if_due()
    now[0] += 8000
    assert await renewing.renew_if_due()
    assert path.read_bytes() != first
    now[0] -= 365 * 24 * 3600  # a clock that is a year behind: the certificate has not begun
    assert Certificate(path.read_bytes()).is_due(now[0])


async def test_nobody_gets_a_certificate_for_another_node(online: Pair) -> None:
    stub = RenewalServiceStub(online.link.channel())
    for csr, error in (
        (NewKey().request("porto-01"), PermissionRefused),
        (b"no request", InvalidInput),
        (b"", InvalidInput),
        (bytes(9000), InvalidInput),
    ):
        with pytest.raises(error):
            await ask(stub.RenewCertificate, renewal_pb2.RenewCertificateRequest(csr=csr), timeout_s=SOON_S)


async def test_a_certificate_that_is_not_ours_is_not_kept(online: Pair) -> None:
    mine, other = NewKey(), NewKey()
    stub = RenewalServiceStub(online.link.channel())
    request = renewal_pb2.RenewCertificateRequest(csr=mine.request(NODE))
    given = await ask(stub.RenewCertificate, request, timeout_s=SOON_S)
    assert mine.fault_in(given.certificate, given.authority, NODE) == ""
    assert "another key" in other.fault_in(given.certificate, given.authority, NODE)
    assert "names" in mine.fault_in(given.certificate, given.authority, "porto-01")
    assert "not signed" in mine.fault_in(given.certificate, given.certificate, NODE)
    assert "not signed" in mine.fault_in(b"", given.authority, NODE)


async def test_without_a_link_the_old_certificate_stays_and_nothing_is_raised(tmp_path: Path) -> None:
    def no_link() -> object:
        raise Unavailable("no link")

    path = tmp_path / "identity" / "client.pem"
    assert not await RenewingService(NODE, path, no_link, now_s=lambda: 0.0).renew_if_due()
    assert not path.exists()


async def test_a_node_says_how_it_is_when_the_hub_asks(online: Pair) -> None:
    await online.hub.run(lambda tx: None)
    stub = DiagnosisServiceStub(online.hub.channel_to(NODE))
    said = await ask(stub.Diagnose, diagnosis_pb2.DiagnoseRequest(log_lines=5), timeout_s=SOON_S)
    assert '"version": "test"' in said.status
    assert '"head_seq"' in said.sync
    assert len(said.log_lines) <= 5
    request = diagnosis_pb2.GetBucketDigestsRequest(basis_seq=77)
    with pytest.raises(NotFound, match="keeps no checkpoint"):
        await ask(stub.GetBucketDigests, request, timeout_s=SOON_S)
    away = DiagnosisServiceStub(online.hub.channel_to("porto-01"))
    with pytest.raises(Unavailable):
        await ask(away.Diagnose, diagnosis_pb2.DiagnoseRequest(), timeout_s=SOON_S)
