"""The control socket's client, against a real Unix socket that behaves well and badly."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager

import pytest

from bodega.errors import BodegaError, InvalidInput, NotFound, PeerFault, Refused, Unavailable
from bodega_agent.cli.client import ControlClient, result_of


@contextmanager
def served(folder, *answers: bytes):
    """A socket that reads one line per answer, sends the answers, and closes."""
    path = folder / "control.sock"
    heard: list[dict] = []
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve():
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb") as stream:
            for sent in answers:
                heard.append(json.loads(stream.readline()))
                stream.write(sent)
                stream.flush()
            if not answers:
                stream.readline()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield path, heard
    finally:
        thread.join(timeout=30)
        listener.close()


def test_a_request_is_one_line_and_its_result_comes_back(tmp_path):
    with (
        served(tmp_path, b'{"ok": true, "result": {"ready": 1}}\n') as (path, heard),
        ControlClient(path) as agent,
    ):
        assert agent.ask("scan", device="s", text="Käse") == {"ready": 1}
    assert heard == [{"op": "scan", "device": "s", "text": "Käse"}]


def test_an_answer_in_pieces_is_put_together(tmp_path):
    big = json.dumps({"ok": True, "result": "x" * 300_000}).encode() + b"\n"
    with served(tmp_path, big) as (path, _), ControlClient(path) as agent:
        assert len(agent.ask("orders")) == 300_000


@pytest.mark.parametrize(
    ("code", "exit_code", "family"),
    [
        ("not-found", 66, NotFound),
        ("illegal-transition", 1, Refused),
        ("invalid-input", 65, InvalidInput),
        ("a-code-of-the-future", 70, BodegaError),
        ("another-one", 4711, BodegaError),
    ],
)
def test_an_error_of_the_agent_is_the_same_error_here(code, exit_code, family):
    said = {"ok": False, "error": {"code": code, "message": "no", "hint": "do this", "exit": exit_code}}
    with pytest.raises(family) as raised:
        result_of(json.dumps(said).encode())
    assert (raised.value.message, raised.value.hint, raised.value.code) == ("no", "do this", code)


@pytest.mark.parametrize("line", [b"", b"not json", b"[]", b'{"ok": false}', b'{"ok": true}', b"7"])
def test_an_answer_that_is_none_is_the_peers_fault(line):
    with pytest.raises(PeerFault) as raised:
        result_of(line)
    assert raised.value.hint


def test_an_agent_that_stops_in_the_middle_is_said(tmp_path):
    gone = pytest.raises(Unavailable, match="has stopped before it answered")
    with served(tmp_path) as (path, _), ControlClient(path) as agent, gone:
        agent.ask("status")


def test_an_agent_that_hangs_is_not_waited_for_for_ever(tmp_path):
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        with (
            ControlClient(path, answer_s=0.05) as agent,
            pytest.raises(Unavailable, match=r"has not answered for 0\.05 s"),
        ):
            agent.ask("status")


@pytest.mark.parametrize("there", [False, True])
def test_a_socket_on_which_nobody_listens_is_unavailable(tmp_path, there):
    path = tmp_path / "control.sock"
    if there:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
    with pytest.raises(Unavailable) as raised, ControlClient(path):
        pass
    assert "bodega run" in raised.value.hint
