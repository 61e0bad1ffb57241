"""A print job keeps a document; what older ledgers have queued still prints."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.errors import InvalidInput
from bodega_adapters.labels.document import LabelDocument
from bodega_adapters.labels.making import render
from bodega_adapters.ports import PrinterAbilities

ZEBRA = PrinterAbilities("zpl", 8, 101, says_status=True, confirms=True)
RECEIPTS = PrinterAbilities("escpos", 8, 72, says_status=False, confirms=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(kind=TEXT, values=st.dictionaries(TEXT, st.lists(TEXT).map(tuple)), content=st.binary())
def test_a_document_comes_back_from_the_ledger_as_it_was(kind, values, content):
    document = LabelDocument(kind, values, content)
    assert LabelDocument.from_bytes(document.to_bytes()) == document


def test_a_label_that_an_older_version_queued_is_sent_as_it_is():
    assert render(LabelDocument.from_bytes(b"^XA^FDold^FS^XZ\n"), ZEBRA) == b"^XA^FDold^FS^XZ\n"


@pytest.mark.parametrize(
    "kept", [b"{", b"{}", b'{"kind": "x", "content": "%"}', b'{"kind": "x", "values": 1}']
)
def test_a_job_that_holds_no_document_is_refused_with_a_hint(kept):
    with pytest.raises(InvalidInput) as caught:
        LabelDocument.from_bytes(kept)
    assert caught.value.hint


def test_a_finished_zpl_label_is_not_sent_to_a_printer_of_another_language():
    with pytest.raises(InvalidInput, match="escpos"):
        render(LabelDocument("zpl", content=b"^XA^XZ"), RECEIPTS)
