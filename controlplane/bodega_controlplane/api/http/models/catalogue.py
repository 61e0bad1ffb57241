"""SKUs, as channels send and get them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bodega.limits import (
    CATALOGUE_ROWS_MAX,
    COMPONENTS_PER_SKU_MAX,
    GTINS_PER_SKU_MAX,
    IDENTIFIER_CHARS_MAX,
    QUANTITY_MAX,
    UNITS_PER_SKU_MAX,
)
from bodega_controlplane.api.http.models.words import (
    PLAIN_TEXT,
    PLAIN_WORD,
    Gtin,
    Identifier,
    In,
    Measure,
    Text,
    like,
)
from bodega_controlplane.app import views


class SkuUnitIn(In):
    """A larger unit that the SKU is handled in."""

    unit: Identifier = Field(description="Name, such as case; unique within the SKU.")
    base_units: int = Field(ge=1, le=QUANTITY_MAX, description="Base units in one of it.")
    gtins: list[Gtin] = Field(default=[], max_length=GTINS_PER_SKU_MAX)


class SkuComponentIn(In):
    """One part of a kit."""

    sku_id: Identifier
    quantity: int = Field(ge=1, le=QUANTITY_MAX, description="Base units of it in one kit.")


_TEA = {"name": "Earl Grey 100 g", "gtins": ["5601234567892"], "weight_g": 120, "volume_ml": 400}


class SkuFieldsIn(In):
    """What may be said of a SKU."""

    model_config = like(_TEA)

    name: Text
    gtins: list[Gtin] = Field(default=[], max_length=GTINS_PER_SKU_MAX, description="GTINs of one base unit.")
    owner: Annotated[str, Field(max_length=IDENTIFIER_CHARS_MAX, pattern=PLAIN_TEXT)] = Field(
        default="", description="Brand or merchant that owns the stock; it can not change later."
    )
    lot_tracked: bool = False
    serial_tracked: bool = Field(default=False, description="Every unit has a serial number of its own.")
    expiry_tracked: bool = Field(default=False, description="Lots have an expiry; needs lot_tracked.")
    base_unit: Annotated[str, Field(max_length=IDENTIFIER_CHARS_MAX, pattern=PLAIN_WORD)] = Field(
        default="", description="Name of the base unit; empty means each."
    )
    units: list[SkuUnitIn] = Field(default=[], max_length=UNITS_PER_SKU_MAX)
    components: list[SkuComponentIn] = Field(
        default=[], max_length=COMPONENTS_PER_SKU_MAX, description="Parts, if it is a kit."
    )
    weight_g: Measure = Field(default=0, description="Weight of one base unit in grams; 0 if not known.")
    volume_ml: Measure = Field(
        default=0, description="Volume of one base unit in millilitres; 0 if not known."
    )
    length_mm: Measure = Field(default=0, description="Outer length of one base unit; 0 if not known.")
    width_mm: Measure = Field(default=0, description="Outer width of one base unit; 0 if not known.")
    height_mm: Measure = Field(default=0, description="Outer height of one base unit; 0 if not known.")
    temperature_class: Literal["", "ambient", "chilled", "frozen"] = Field(
        default="", description="How cold it is kept; empty means ambient."
    )
    velocity_class: Literal["", "A", "B", "C"] = Field(
        default="", description="How often it is asked for, A most; empty means C."
    )
    fragile: bool = Field(default=False, description="It needs padding in a parcel.")

    def draft(self, sku_id: str) -> views.SkuDraft:
        """The value for the app layer."""
        plain = self.model_dump(exclude={"sku_id", "gtins", "units", "components"})
        return views.SkuDraft(
            sku_id,
            **plain,
            gtins=tuple(self.gtins),
            units=tuple(views.SkuUnit(one.unit, one.base_units, tuple(one.gtins)) for one in self.units),
            components=tuple(views.SkuComponent(one.sku_id, one.quantity) for one in self.components),
        )


class SkuIn(SkuFieldsIn):
    """A SKU to add or replace."""

    model_config = like({"sku_id": "TEA-EARL-GREY", **_TEA})

    sku_id: Identifier


class CatalogueIn(In):
    """SKUs to add or replace, all or nothing."""

    model_config = like({"skus": [{"sku_id": "TEA-EARL-GREY", **_TEA}, {"sku_id": "MUG", "name": "Mug"}]})

    skus: list[SkuIn] = Field(min_length=1, max_length=CATALOGUE_ROWS_MAX)


class CatalogueOut(BaseModel):
    """What came of it."""

    changed: int = Field(description="Number of SKUs that are new or changed.")


class FileOut(CatalogueOut):
    """What came of a file."""

    rows: int = Field(description="Number of SKUs in it.")


class SkuUnitOut(BaseModel):
    """A larger unit that the SKU is handled in."""

    unit: str
    base_units: int
    gtins: list[str]


class SkuComponentOut(BaseModel):
    """One part of a kit."""

    sku_id: str
    quantity: int


class SkuOut(BaseModel):
    """A SKU of the catalogue; fields as they are sent, GTINs with 14 digits."""

    sku_id: str
    name: str
    gtins: list[str]
    owner: str
    lot_tracked: bool
    serial_tracked: bool
    expiry_tracked: bool
    base_unit: str
    units: list[SkuUnitOut]
    components: list[SkuComponentOut]
    weight_g: int
    volume_ml: int
    length_mm: int
    width_mm: int
    height_mm: int
    temperature_class: str
    velocity_class: str
    fragile: bool
    version: int = Field(description="Rises with each change.")
    units_version: int = Field(description="Rises with each change of its units.")

    @classmethod
    def of(cls, view: views.SkuView) -> SkuOut:
        """From the app layer's value."""
        return cls(**asdict(view))


class CataloguePageOut(BaseModel):
    """A page of SKUs, by id."""

    skus: list[SkuOut]
    next_cursor: str = Field(description="Cursor of the next page; empty on the last one.")
