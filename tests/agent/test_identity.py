"""The node believes the pinned key and nothing else."""

from __future__ import annotations

import pytest

from bodega.errors import InvalidInput
from bodega_agent.identity import HubKey
from support.hub_book import HubBook


def test_only_the_hubs_signature_over_this_very_text_is_believed() -> None:
    hub, other = HubBook(), HubBook()
    signature = hub.key.sign(b"text")
    assert hub.hub_key.has_signed(b"text", signature)
    assert not hub.hub_key.has_signed(b"Text", signature)
    assert not other.hub_key.has_signed(b"text", signature)
    assert not hub.hub_key.has_signed(b"text", b"")


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(InvalidInput):
        HubKey(bytes(31))
