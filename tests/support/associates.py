"""People of a node, as the hub sends them: Ana has badge and PIN, Rui a badge, Lea leads and has a PIN only."""

from __future__ import annotations

from bodega.core.pins import pin_hash
from bodega.v1 import catalogue_pb2

SALT = b"sixteen bytes..."
ANA_BADGE = "395260640000000012"  # a GSRN
RUI_BADGE = "STAFF-RUI"
ANA_PIN = "4711"
LEA_PIN = "271828"

ANA = catalogue_pb2.Associate(
    associate_id="ana",
    name="Ana",
    role="associate",
    badge=ANA_BADGE,
    pin_salt=SALT,
    pin_hash=pin_hash(ANA_PIN, SALT),
)
RUI = catalogue_pb2.Associate(associate_id="rui", name="Rui", role="associate", badge=RUI_BADGE)
LEA = catalogue_pb2.Associate(
    associate_id="lea", name="Lea", role="lead", pin_salt=SALT, pin_hash=pin_hash(LEA_PIN, SALT)
)
PEOPLE = (ANA, RUI, LEA)
