"""What most tests of `bodegactl` ask: a real control plane."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.bodegactl import ControlPlane, new_database, serving_from
from support.controlplane import NodeByHand, deliver, settle


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A running control plane whose node in Lisbon has 12 TEA on its shelf."""
    folder = tmp_path_factory.mktemp("hub")
    with new_database(folder) as store:
        settle(store, "TEA")
        node = NodeByHand()
        node.shelve("TEA", 12)
        deliver(store, node.delivery())
    with serving_from(folder) as control_plane:
        yield control_plane
