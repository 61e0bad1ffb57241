"""What ends a service is in its log."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from bodega.errors import Unavailable
from bodega.host.log import last_words


def test_a_bug_that_ends_a_service_is_logged_with_its_traceback() -> None:
    with capture_logs() as said, pytest.raises(KeyError), last_words():
        raise KeyError("a bug")
    assert [(line["event"], line["exc_info"]) for line in said] == [("died_of_a_bug", True)]


def test_what_keeps_a_service_from_starting_is_told_by_the_command_alone() -> None:
    with capture_logs() as said, pytest.raises(Unavailable), last_words():
        raise Unavailable("the database does not answer")
    assert said == []
