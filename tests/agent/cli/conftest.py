"""One agent for all stories of the command line: started once, as a process."""

from __future__ import annotations

import pytest

from support.bodega_command import fill_ledger, running_agent, write_config


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """The configuration of a running agent with a catalogue, bins and two orders."""
    folder = tmp_path_factory.mktemp("node")
    fill_ledger(folder)
    config = write_config(folder)
    with running_agent(config):
        yield config
