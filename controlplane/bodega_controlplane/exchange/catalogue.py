"""A catalogue file: rows that are right are taken, rows that are wrong are told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from bodega.errors import FieldFault, InvalidInput
from bodega.limits_hub import EXCHANGE_CATALOGUE_TRIES_MAX
from bodega.v1 import catalogue_pb2
from bodega.v1 import controlplane_pb2 as pb
from bodega_controlplane.app.goods import catalogue
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.views import Caller, SkuDraft
from bodega_controlplane.app.wire import sku_draft
from bodega_controlplane.cli.catalog_file import read_skus
from bodega_controlplane.cli.catalog_import import import_skus
from bodega_controlplane.exchange.answers import Answer, Outcome


async def take_catalogue(hub: Hub, caller: Caller, text: str, answer: Answer, *, is_csv: bool) -> None:
    """Take what is right of a file, in slices, so that orders go on meanwhile. Raises InvalidInput if nothing is."""
