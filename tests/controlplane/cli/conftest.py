"""What most tests of `bodegactl` ask: a real control plane."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bodega_controlplane.store.engine import open_store
from support.bodegactl import ControlPlane, address_of_nobody, serving, write_config
from support.controlplane import NodeByHand, deliver, settle


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A running control plane whose node in Lisbon has 12 TEA on its shelf."""
    folder = tmp_path_factory.mktemp("hub")
    data_dir = folder / "data"
    data_dir.mkdir(mode=0o700)
    store = open_store("sqlite", data_dir)
    settle(store, "TEA")
    node = NodeByHand()
    node.shelve("TEA", 12)
    deliver(store, node.delivery())
    store.close()
    config = write_config(folder, data_dir, nats_url=f"nats://{address_of_nobody()}")
    with serving(config, data_dir) as control_plane:
        yield control_plane
