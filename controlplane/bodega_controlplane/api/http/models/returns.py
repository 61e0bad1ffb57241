"""Returns, as channels send and get them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from pydantic import BaseModel, Field

from bodega.limits import QUANTITY_MAX
from bodega.limits_floor import RETURN_LINES_MAX
from bodega_controlplane.api.http.models.words import Identifier, In, like, time_of
from bodega_controlplane.app.selling import views


class ReturnLineIn(In):
    """Base units of one SKU that come back."""

    sku_id: Identifier
    quantity: int = Field(ge=1, le=QUANTITY_MAX)


class ReturnIn(In):
    """A return to agree to."""

    model_config = like({"lines": [{"sku_id": "TEA-EARL-GREY", "quantity": 1}]})

    lines: list[ReturnLineIn] = Field(
        default=[],
        max_length=RETURN_LINES_MAX,
        description="Empty: all that was sent and is not on its way back.",
    )
    node_id: Identifier | None = Field(
        default=None, description="Node that takes the goods; else the one that sent them."
    )

    def draft(self) -> views.ReturnDraft:
        """The value for the app layer."""
        lines = tuple(views.ReturnLineView(one.sku_id, one.quantity) for one in self.lines)
        return views.ReturnDraft(lines, self.node_id or "")


class ReturnLineOut(BaseModel):
    """Base units of one SKU."""

    sku_id: str
    quantity: int


class GradedLineOut(ReturnLineOut):
    """Base units of one SKU, as the node that took them has graded them."""

    grade: str = Field(description="new, opened, used, damaged or wrong_item.")
    disposition: str = Field(description="sellable, refurbish, damaged, scrap or supplier.")


class ReturnOut(BaseModel):
    """Goods that a customer sends back."""

    return_id: str = Field(description="Also the barcode on the slip that the customer puts into the parcel.")
    order_id: str
    state: views.ReturnState
    node_ids: list[str] = Field(description="Nodes that expect it or have it.")
    expected: list[ReturnLineOut]
    received: list[GradedLineOut]
    refund_due: list[ReturnLineOut] = Field(description="What the customer should get money back for.")
    updated_at: datetime

    @classmethod
    def of(cls, view: views.ReturnView) -> ReturnOut:
        """From the app layer's value."""
        fields = asdict(view)
        return cls(**fields | {"updated_at": time_of(fields.pop("updated_at_ms"))})


class ReturnsOut(BaseModel):
    """The returns of an order."""

    returns: list[ReturnOut]


class ReturnPageOut(ReturnsOut):
    """A page of returns, newest first."""

    next_cursor: str = Field(description="Cursor of the next page; empty on the last one.")
