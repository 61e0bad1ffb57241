"""A cancel from the hub in every state of a fulfillment order."""

from __future__ import annotations

import pytest

from bodega.core.lifecycles import FulfillmentState
from bodega_agent.rules.floor.cancel import cancel_effects
from bodega_agent.rules.floor.effects import CancelWork, OpenPutBack, ReportLateCancel, Unpack

CANCEL, PUT_BACK = CancelWork("FO-1"), OpenPutBack("FO-1", "STAGE-FO-1")
UNPACK = Unpack("FO-1", "395260640000000019")


@pytest.mark.parametrize(
    ("state", "picked", "effects"),
    [
        (FulfillmentState.ASSIGNED, 0, (CANCEL,)),
        (FulfillmentState.PICKING, 0, (CANCEL,)),
        (FulfillmentState.PICKING, 1, (CANCEL, PUT_BACK)),
        (FulfillmentState.PICKED, 1, (CANCEL, PUT_BACK)),
        (FulfillmentState.PACKED, 1, (CANCEL, UNPACK, PUT_BACK)),
        (FulfillmentState.LABELLED, 1, (CANCEL, UNPACK, PUT_BACK)),
        (FulfillmentState.SHIPPED, 1, (ReportLateCancel("FO-1"),)),
        (FulfillmentState.CANCELLED, 1, ()),
        (FulfillmentState.SHORT, 0, ()),
    ],
)
def test_a_cancel_wins_until_the_hand_over(state, picked, effects):
    sscc = UNPACK.sscc if state not in {FulfillmentState.ASSIGNED, FulfillmentState.PICKING} else ""
    assert cancel_effects("FO-1", state, picked=picked, sscc=sscc) == effects
