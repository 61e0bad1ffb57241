"""`bodega ledger export --epcis` on a real ledger: valid by GS1's schema, stable, streamed, honest about its gaps."""

from __future__ import annotations

import asyncio
import io
import json

import pytest

from bodega.codec import movement_to_wire
from bodega.core.ledger import DOCK, Account, Disposition, Goods, LotSeen, Posting, Reference, parcel_place
from bodega.core.ledger import Movement as LedgerMovement
from bodega.core.recipes import Book, Places, book, correct
from bodega.v1 import journal_pb2
from bodega_adapters.framing.check_digit import make_sscc
from bodega_agent.cli.ledger_epcis import ARCHIVED, NO_ORIGINAL, NO_PLACE, NO_TIME, write_document
from bodega_agent.store import ledger
from bodega_agent.store.transaction import Context
from support.bodega_command import bodega, write_config
from support.epcis import check_document
from support.node_under_test import HubPen, gtin, opened_store

SSCC = make_sscc(3, "9521234", 1)
STAGE = "STAGE-FO-1"


def work_a_day(tx):
    """Goods come, are put away, picked (one more than the book has), packed and shipped; one receipt is undone."""
    context = Context("day", actor="ana", device="scanner-1")
    goods, order = [Goods("SKU-1", 5, "L-1")], Reference("FO-1", SSCC)
    came = book("receive", goods, Book({}), Places("", DOCK)).movement
    ledger.record(tx, context, came._replace(lots=(LotSeen("SKU-1", "L-1", "2027-01-31"),)))
    ledger.move(tx, context, "put_away", goods, source_bin=DOCK, target_bin="A-01-01")
    more = [Goods("SKU-1", 6, "L-1")]
    ledger.move(
        tx, context, "pick", more, source_bin="A-01-01", target_bin=STAGE, reference=Reference("FO-1")
    )
    ledger.move(tx, context, "pack", more, source_bin=STAGE, target_bin=parcel_place(SSCC), reference=order)
    ledger.move(tx, context, "ship", more, source_bin=parcel_place(SSCC), reference=order)
    wrong = book("receive", [Goods("tea", 3)], Book({}), Places("", DOCK)).movement
    seq = ledger.record(tx, context, wrong)
    held = Book({Account("tea", DOCK, Disposition.IN_PROGRESS): 3})
    ledger.record(tx, context, correct(wrong, f"1/{seq}", held, reason="typo").movement)


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """The configuration of a node after `work_a_day`; its agent is down."""
    folder = tmp_path_factory.mktemp("node")

    async def fill():
        with opened_store(folder) as store:
            pen = HubPen(store)
            await pen.profile()
            milk = await pen.sku(1, lot_tracked=True)
            await pen.fulfillment_order(1, (milk, 6))
            await store.write(work_a_day)

    asyncio.run(fill())
    return write_config(folder)


def export(config, *options):
    """(events of a document that GS1 accepts, what was said on standard error)."""
    done = bodega(config, "ledger", "export", "--epcis", *options)
    assert done.returncode == 0, done.stderr
    return check_document(json.loads(done.stdout)), done.stderr


def test_a_day_of_a_node_is_a_document_that_gs1_accepts(node):
    told, said = export(node)
    assert [(event["type"], event["bizStep"]) for event in told] == [
        ("ObjectEvent", "receiving"),
        ("ObjectEvent", "storing"),
        ("ObjectEvent", "cycle_counting"),
        ("TransactionEvent", "picking"),
        ("AggregationEvent", "packing"),
        ("ObjectEvent", "shipping"),
        ("ObjectEvent", "receiving"),
        ("ObjectEvent", "receiving"),
    ]
    received, _stored, found, picked = told[:4]
    lot = f"https://id.gs1.org/01/{gtin(1)}/10/L-1"
    assert received["quantityList"] == [{"epcClass": lot, "quantity": 5}]
    assert received["bodega:lotMasterData"][0]["cbvmda:itemExpirationDate"] == "2027-01-31"
    assert found["quantityList"] == [{"epcClass": lot, "quantity": 1}]
    assert {"type": "po", "bizTransaction": "urn:bodega:order:ORD-1"} in picked["bizTransactionList"]
    assert said == "left out of the document: 1 x discrepancy_opened\n"


def test_an_undone_receipt_is_repeated_with_an_error_declaration(node):
    *_others, wrong, declared = export(node)[0]
    declaration = declared.pop("errorDeclaration")
    assert declared == wrong
    assert declaration["reason"] == "did_not_occur"


def test_events_are_the_same_in_every_export_and_after_a_sequence_only_the_rest(node, tmp_path):
    told, _said = export(node)
    assert export(node)[0] == told
    last = told[-3]["bodega:seq"]
    rest, _said = export(node, "--after", str(last))
    assert rest == told[-2:]
    file = tmp_path / "rest.jsonld"
    assert bodega(node, "ledger", "export", "--epcis", "--after", str(last), "-o", str(file)).stdout == ""
    assert check_document(json.loads(file.read_text())) == rest


def test_places_have_the_gln_that_the_node_was_given(node):
    told, _said = export(node, "--gln", "9521234000013")
    assert told[1]["bizLocation"] == {"id": "https://id.gs1.org/414/9521234000013/254/A-01-01"}


@pytest.mark.parametrize("gln", ["9521234000014", "952123400001", "95212340", "lisbon"])
def test_a_wrong_gln_is_refused_before_anything_is_written(node, gln):
    done = bodega(node, "ledger", "export", "--epcis", "--gln", gln)
    assert done.returncode == 65
    assert gln in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("option", [("--format", "csv"), ("--table", "balance")])
def test_the_document_has_no_other_shape(node, option):
    assert bodega(node, "ledger", "export", "--epcis", *option).returncode == 2


def test_the_document_of_an_empty_journal_is_valid(tmp_path):
    with_no_events = write_config(tmp_path)

    async def create():
        with opened_store(tmp_path):
            pass

    asyncio.run(create())
    assert export(with_no_events) == ([], "")


def rows_of(*events):
    """Rows of a journal's table with these events."""
    return [
        {"seq": seq, "body": event.SerializeToString(), "hash": seq.to_bytes(32, "big")}
        for seq, event in enumerate(events, start=1)
    ]


def asked(rows, output=None, written=None):
    """A `query` on these rows; notes in `written` how long the output was when each row was read."""

    def query(sql, values):
        if "FROM journal" not in sql:
            return
        for row in rows:
            if row["seq"] == values[0] if "seq = ?" in sql else row["seq"] > values[0]:
                if written is not None:
                    written.append(len(output.getvalue()))
                yield row

    return query


def moved(movement, at_ms=1):
    return journal_pb2.NodeEvent(at_ms=at_ms, movement=movement_to_wire(movement))


RECEIVED = book("receive", [Goods("SKU-1", 1)], Book({}), Places("", DOCK)).movement


def test_the_document_is_written_while_the_journal_is_read():
    output, written = io.StringIO(), []
    rows = rows_of(*(moved(RECEIVED) for _ in range(100)))
    write_document(asked(rows, output, written), after=0, gln="", created_at_ms=1, output=output)
    assert len(check_document(json.loads(output.getvalue()))) == 100
    assert written == sorted(set(written)), "each event was out before the next row was read"


def test_what_epcis_can_not_say_is_counted_by_its_kind():
    elsewhere = LedgerMovement("x", "", (Posting(Account("SKU-1", external="carrier"), 1),))
    undoing = LedgerMovement("correct", "receiving", RECEIVED.postings, Reference(corrects="1/99"))
    newer = journal_pb2.NodeEvent(cmd_id="later")
    newer.MergeFromString(b"\xfa\x3f\x02\x08\x01")  # field 1023, of a version to come
    rows = rows_of(
        newer,
        journal_pb2.NodeEvent(label_advanced=journal_pb2.LabelAdvanced()),
        moved(RECEIVED, at_ms=-1),
        moved(elsewhere),
        moved(undoing),
        moved(undoing._replace(reference=Reference(corrects="nonsense"))),
        moved(undoing._replace(reference=Reference(corrects="1/2"))),
        moved(undoing._replace(reference=Reference(corrects="1/8"))),
        moved(undoing._replace(reference=Reference(corrects="1/10"))),
        moved(RECEIVED),
    )
    output = io.StringIO()
    left_out = write_document(asked(rows), after=0, gln="", created_at_ms=1, output=output)
    assert len(check_document(json.loads(output.getvalue()))) == 1
    assert left_out == {"unknown": 1, "label_advanced": 1, NO_TIME: 1, NO_PLACE: 1, NO_ORIGINAL: 5}


def test_events_that_have_gone_into_an_archive_are_counted():
    rows, output = rows_of(*(moved(RECEIVED) for _ in range(9)))[5:], io.StringIO()
    assert write_document(asked(rows), after=2, gln="", created_at_ms=1, output=output) == {ARCHIVED: 3}
    assert not write_document(asked(rows), after=5, gln="", created_at_ms=1, output=output)


def test_an_event_is_found_again_behind_its_correction_and_its_corrections_correction():
    def undoing(seq):
        return LedgerMovement("correct", "receiving", RECEIVED.postings, Reference(corrects=f"1/{seq}"))

    rows = rows_of(moved(RECEIVED), moved(undoing(1)), moved(undoing(2)), moved(undoing(3)))
    output = io.StringIO()
    assert not write_document(asked(rows), after=0, gln="", created_at_ms=1, output=output)
    first, wrong, again, wrong_again = check_document(json.loads(output.getvalue()))
    assert wrong["eventID"] == first["eventID"] != again["eventID"] == wrong_again["eventID"]
