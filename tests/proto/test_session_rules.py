"""What a writer makes of news: every branch, and the edges of its bounds."""

from __future__ import annotations

import pytest

from bodega.core.backoff import full_jitter_s
from bodega.core.session import (
    Fenced,
    Silence,
    after_ack,
    after_read_back,
    after_send,
    after_want,
    may_send,
)
from bodega.core.sync import Envelope, Head, Outbound
from bodega.limits import (
    ENVELOPE_EVENTS_MAX,
    HEARTBEATS_SILENT_MAX,
    HEARTBEATS_SILENT_START,
    PUBLISH_WINDOW_ENVELOPES_MAX,
)


def at(seq: int, *, epoch: int = 1) -> Head:
    return Head(epoch, seq, _hash(seq))


def _hash(seq: int) -> bytes:
    return seq.to_bytes(32, "big")


def stored(first: int, last: int, *, epoch: int = 1) -> Envelope:
    return Envelope("node", epoch, first, _hash(first - 1), (b"e",) * (last - first + 1), _hash(last))


OUT = Outbound(sent=at(10), acked=at(4))


def test_an_empty_subject_means_send_again_what_is_not_acknowledged() -> None:
    assert after_read_back(OUT, at(20), None, None) == Outbound(sent=at(4), acked=at(4))


def test_the_next_envelope_counts_as_sent_if_the_broker_has_it_although_its_receipt_was_lost() -> None:
    assert after_read_back(OUT, at(20), stored(11, 15), _hash(15)) == Outbound(sent=at(15), acked=at(4))


def test_what_the_broker_has_lost_of_the_end_counts_as_not_sent() -> None:
    assert after_read_back(OUT, at(20), stored(2, 9), _hash(9)) == Outbound(at(9), OUT.acked)


def test_what_the_hub_has_is_not_sent_again_whatever_the_broker_has_lost() -> None:
    assert after_read_back(OUT, at(20), stored(1, 2), _hash(2)) == Outbound(OUT.acked, OUT.acked)


@pytest.mark.parametrize(("first", "last"), [(1, 10), (13, 15)])
def test_any_other_own_envelope_changes_nothing(first: int, last: int) -> None:
    assert after_read_back(OUT, at(20), stored(first, last), _hash(last)) == OUT


def test_events_beyond_the_journal_fence() -> None:
    result = after_read_back(OUT, at(20), stored(11, 21), None)
    assert isinstance(result, Fenced)
    assert "restored from a backup" in result.reason


def test_another_event_at_the_same_sequence_fences() -> None:
    assert isinstance(after_read_back(OUT, at(20), stored(11, 15), _hash(99)), Fenced)


def test_another_epoch_in_the_stream_fences() -> None:
    assert isinstance(after_read_back(OUT, at(20), stored(11, 15, epoch=2), _hash(15)), Fenced)


def test_an_ack_moves_the_cursor_and_only_forward() -> None:
    assert after_ack(OUT, at(7), at(20), _hash(7)) == Outbound(sent=at(10), acked=at(7))
    assert after_ack(OUT, at(12), at(20), _hash(12)) == Outbound(sent=at(12), acked=at(12))
    assert after_ack(OUT, at(3), at(20), _hash(3)) == OUT
    assert after_ack(OUT, at(7, epoch=9), at(20), None) == OUT


def test_an_ack_that_contradicts_the_journal_fences() -> None:
    assert isinstance(after_ack(OUT, at(21), at(20), None), Fenced)
    assert isinstance(after_ack(OUT, at(7), at(20), _hash(8)), Fenced)


def test_a_receipt_after_a_later_ack_takes_nothing_back() -> None:
    assert after_send(OUT, at(8)) == OUT
    assert after_send(OUT, at(11)).sent == at(11)


def test_a_want_rewinds_even_behind_what_was_acknowledged() -> None:
    assert after_want(OUT, at(6)) == Outbound(sent=at(6), acked=at(4))
    assert after_want(OUT, at(2)) == Outbound(sent=at(2), acked=at(2))


def test_a_want_of_what_was_never_sent_or_of_another_epoch_changes_nothing() -> None:
    assert after_want(OUT, at(10)) == OUT
    assert after_want(OUT, at(11)) == OUT
    assert after_want(OUT, at(2, epoch=2)) == OUT


def test_the_window_closes_at_its_bound() -> None:
    bound = PUBLISH_WINDOW_ENVELOPES_MAX * ENVELOPE_EVENTS_MAX
    assert may_send(Outbound(sent=Head(seq=bound - 1), acked=Head()))
    assert not may_send(Outbound(sent=Head(seq=bound), acked=Head()))


def test_loss_is_called_after_silent_heartbeats_and_forgotten_when_the_reader_moves() -> None:
    silence = Silence().heard(4, 10)
    for _ in range(HEARTBEATS_SILENT_START - 1):
        silence = silence.heard(4, 10)
        assert not silence.is_loss
    assert silence.heard(4, 10).is_loss
    assert not silence.heard(5, 10).is_loss
    assert silence.heard(10, 10) == Silence()


def test_patience_doubles_up_to_its_bound() -> None:
    silence, patiences = Silence().heard(4, 10), []
    for _ in range(6):
        silence = silence.after_rewind()
        patiences.append(silence.patience)
    assert patiences[0] == 2 * HEARTBEATS_SILENT_START
    assert patiences[-1] == HEARTBEATS_SILENT_MAX


def test_backoff_doubles_to_its_maximum_and_is_drawn_from_zero() -> None:
    assert [full_jitter_s(n, 0.25, 30.0, 1.0) for n in range(9)] == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert full_jitter_s(5, 0.25, 30.0, 0.0) == 0
    assert full_jitter_s(10**6, 0.25, 30.0, 1.0) == 30
