"""Both ends of the pipe read with suspicion: what is not a message is refused, by name."""

from __future__ import annotations

import asyncio
import json

import pytest

from bodega.errors import PeerFault
from bodega.limits import EXPECTED_GTINS_MAX, VERDICT_REASONS_MAX, VISION_MESSAGE_BYTES_MAX
from bodega_agent.vision import wire
from bodega_agent.vision.messages import CameraSpec, InspectRequest, Ready, Verdict, WorkerSpec, reason
from bodega_agent.vision.streams import read_message

SPEC = WorkerSpec(
    cameras={"bench": CameraSpec("folder", {"path": "/pictures"})},
    frames_dir="/frames",
    frames_bytes_max=1_000,
    free_bytes_min=10,
    providers=("CPUExecutionProvider",),
)
REQUEST = InspectRequest("r-1", "bench", "pick", ("04006381333931",), "fo-1/2")
VERDICT = Verdict(
    request_id="r-1",
    outcome="fail",
    reasons=(reason("other_item", "Something else."), reason("blurred", "Hold still.")),
    frame_digest="ab" * 32,
    frame_path="/frames/x.jpg",
    model="frame_quality@fc612086b74e",
    provider="CPUExecutionProvider",
    thresholds={"sharpness_min": 30.0},
    scores={"sharpness": 12.5},
    seen=("00036000291452", "?A-01-02"),
    duration_ms=12,
)
LONGEST_JSON = json.dumps({"kind": "inspect", "body": {"x": ""}}, separators=(",", ":"))


@pytest.mark.parametrize(
    "value", [SPEC, REQUEST, VERDICT, Ready("m@1", "p"), Verdict("r", "review", ("a: b",))]
)
def test_a_message_survives_the_wire_unchanged(value):
    _, body = wire.decode(wire.encode("any", value.to_json())[wire.PREFIX_BYTES :])
    assert type(value).from_json(body) == value


def test_a_verdict_gives_its_reason_codes_to_programs():
    assert VERDICT.codes == ("other_item", "blurred")


@pytest.mark.parametrize(
    ("valid", "field", "bad"),
    [
        (REQUEST, "request_id", None),
        (REQUEST, "request_id", "x" * 65),
        (REQUEST, "camera", 7),
        (REQUEST, "subject", "face"),
        (REQUEST, "expected_gtins", "04006381333931"),
        (REQUEST, "expected_gtins", ["4006381333931"]),
        (REQUEST, "expected_gtins", ["0400638133393x"]),
        (REQUEST, "expected_gtins", ["04006381333931"] * (EXPECTED_GTINS_MAX + 1)),
        (VERDICT, "outcome", "maybe"),
        (VERDICT, "reasons", ["a: b"] * (VERDICT_REASONS_MAX + 1)),
        (VERDICT, "scores", {"sharpness": "high"}),
        (VERDICT, "thresholds", [1]),
        (VERDICT, "duration_ms", -1),
        (VERDICT, "duration_ms", True),
        (SPEC, "cameras", {"bench": "folder"}),
        (SPEC, "frames_bytes_max", 1.5),
    ],
)
def test_a_field_that_does_not_fit_is_refused(valid, field, bad):
    with pytest.raises(PeerFault):
        type(valid).from_json(valid.to_json() | {field: bad})


@pytest.mark.parametrize("body", [None, [], "text", 3])
def test_a_body_that_is_no_object_is_refused(body):
    with pytest.raises(PeerFault, match="expected a JSON object"):
        Verdict.from_json(body)


def test_a_message_of_the_longest_length_passes_and_one_byte_more_does_not():
    room = VISION_MESSAGE_BYTES_MAX - len(LONGEST_JSON)
    longest = wire.encode("inspect", {"x": "a" * room})
    assert wire.content_length(longest[: wire.PREFIX_BYTES]) == VISION_MESSAGE_BYTES_MAX
    with pytest.raises(PeerFault, match="more than"):
        wire.encode("inspect", {"x": "a" * (room + 1)})
    with pytest.raises(PeerFault, match="not within"):
        wire.content_length((VISION_MESSAGE_BYTES_MAX + 1).to_bytes(4, "big"))


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"{", b"[]", b'{"kind": 1}', b'{"body": {}}', b"[" * 60_000]
)
def test_content_that_is_no_message_is_refused(content):
    with pytest.raises(PeerFault):
        wire.decode(content)


@pytest.mark.parametrize("cut", [1, 3, 4, 10])
async def test_a_pipe_that_closes_inside_a_message_is_a_fault_of_the_peer(cut):
    with pytest.raises(PeerFault, match="closed inside"):
        await read_message(_stream(wire.encode("ready", {})[:cut]))


async def test_a_pipe_that_closes_between_messages_is_the_end():
    stream = _stream(wire.encode("ready", {"a": 1}))
    assert await read_message(stream) == ("ready", {"a": 1})
    assert await read_message(stream) is None


def _stream(content: bytes) -> asyncio.StreamReader:
    stream = asyncio.StreamReader()
    stream.feed_data(content)
    stream.feed_eof()
    return stream
