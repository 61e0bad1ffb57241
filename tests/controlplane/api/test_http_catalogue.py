"""The catalogue over HTTP: one SKU with its tag, and whole files in slices."""

from __future__ import annotations

import httpx
import pytest

from bodega.limits import CATALOGUE_ROWS_MAX, IMPORT_BYTES_MAX
from bodega.limits_hub import CATALOGUE_FILE_ROWS_MAX, IMPORT_ROWS_FIRST
from bodega_controlplane.app.hub import Hub
from support.controlplane import gtin_of

CSV = {"Content-Type": "text/csv; charset=utf-8"}


async def test_a_sku_is_made_read_and_replaced_as_a_whole(shop: httpx.AsyncClient) -> None:
    made = await shop.put("/v1/catalogue/JAM", json={"name": "Jam", "gtins": [gtin_of(7)], "weight_g": 250})
    assert (made.status_code, made.headers["location"]) == (201, "/v1/catalogue/JAM")
    assert (made.json()["version"], made.json()["gtins"]) == (1, ["0" + gtin_of(7)])
    read = await shop.get("/v1/catalogue/JAM")
    assert (read.content, read.headers["etag"]) == (made.content, made.headers["etag"])
    replaced = await shop.put("/v1/catalogue/JAM", json={"name": "Jelly"})
    assert (replaced.status_code, "location" in replaced.headers) == (200, False)
    assert replaced.headers["etag"] != made.headers["etag"]
    body = replaced.json()
    assert (body["name"], body["gtins"], body["weight_g"], body["version"]) == ("Jelly", [], 0, 2)
    same = await shop.put("/v1/catalogue/JAM", json={"name": "Jelly"})
    assert (same.json()["version"], same.headers["etag"]) == (2, replaced.headers["etag"])


async def test_two_writers_do_not_undo_each_others_work(shop: httpx.AsyncClient) -> None:
    tag = (await shop.put("/v1/catalogue/JAM", json={"name": "Jam"})).headers["etag"]
    mine = await shop.put("/v1/catalogue/JAM", json={"name": "Mine"}, headers={"If-Match": tag})
    assert mine.status_code == 200
    yours = await shop.put("/v1/catalogue/JAM", json={"name": "Yours"}, headers={"If-Match": tag})
    assert (yours.status_code, yours.json()["code"]) == (412, "precondition-failed")
    assert (await shop.get("/v1/catalogue/JAM")).json()["name"] == "Mine"
    either = {"If-Match": f'"0000", {mine.headers["etag"]}'}
    assert (await shop.put("/v1/catalogue/JAM", json={"name": "Ours"}, headers=either)).status_code == 200


@pytest.mark.parametrize(
    ("sku_id", "header", "status"),
    [
        ("TEA", {"If-Match": "*"}, 200),
        ("JAM", {"If-Match": "*"}, 412),
        ("JAM", {"If-Match": '"0000"'}, 412),
        ("TEA", {"If-None-Match": "*"}, 412),
        ("JAM", {"If-None-Match": "*"}, 201),
        ("TEA", {"If-Match": "nonsense"}, 422),
        ("TEA", {"If-Match": '"a" "b"'}, 422),
        ("TEA", {"If-None-Match": "3"}, 422),
    ],
)
async def test_a_precondition_is_held_or_named(
    shop: httpx.AsyncClient, sku_id: str, header: dict[str, str], status: int
) -> None:
    before = (await shop.get("/v1/catalogue")).json()
    answer = await shop.put(f"/v1/catalogue/{sku_id}", json={"name": "New"}, headers=header)
    assert answer.status_code == status
    if status >= 400:
        assert (await shop.get("/v1/catalogue")).json() == before
    if status == 422:
        assert [fault["where"] for fault in answer.json()["faults"]] == [f"header.{next(iter(header))}"]


async def test_a_weak_tag_never_lets_a_write_through_but_spares_a_read(shop: httpx.AsyncClient) -> None:
    tag = (await shop.get("/v1/catalogue/TEA")).headers["etag"]
    refused = await shop.put("/v1/catalogue/TEA", json={"name": "x"}, headers={"If-Match": f"W/{tag}"})
    assert refused.status_code == 412
    for known in (tag, f"W/{tag}", f'"0000", {tag}', "*"):
        spared = await shop.get("/v1/catalogue/TEA", headers={"If-None-Match": known})
        assert (spared.status_code, spared.content, spared.headers["etag"]) == (304, b"", tag)
    assert (await shop.get("/v1/catalogue/TEA", headers={"If-None-Match": '"0000"'})).status_code == 200


async def test_faults_of_one_sku_are_named_by_its_own_fields(shop: httpx.AsyncClient) -> None:
    body = {"name": "x", "gtins": ["5601234567891"], "expiry_tracked": True, "sku_id": "JAM"}
    answer = await shop.put("/v1/catalogue/JAM", json=body)
    assert [fault["where"] for fault in answer.json()["faults"]] == ["sku_id"]
    del body["sku_id"]
    answer = await shop.put("/v1/catalogue/JAM", json=body)
    assert answer.status_code == 422
    assert {fault["where"] for fault in answer.json()["faults"]} == {"gtins[0]", "expiry_tracked"}
    assert (await shop.get("/v1/catalogue/JAM")).status_code == 404


async def test_the_catalogue_is_listed_page_by_page(shop: httpx.AsyncClient) -> None:
    rows = [{"sku_id": f"S{number}", "name": "x"} for number in range(5)]
    await shop.post("/v1/catalogue", json={"skus": rows})
    found, cursor = [], ""
    while True:
        page = (await shop.get("/v1/catalogue", params={"limit": 2, "cursor": cursor})).json()
        found += [one["sku_id"] for one in page["skus"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert found == ["S0", "S1", "S2", "S3", "S4", "TEA"]


async def test_a_file_of_thousands_is_stored_while_others_write(hub: Hub, shop: httpx.AsyncClient) -> None:
    rows = CATALOGUE_ROWS_MAX + IMPORT_ROWS_FIRST + 1
    lines = ["sku_id,name,components", *(f"S{number},Thing {number}," for number in range(rows))]
    # A kit stands before its parts, and a kit of kits before both.
    lines[1:1] = ["GIFTS,Gifts,GIFT=2", "GIFT,Gift,S7=1;S1100=2"]
    writes, run = [], hub.run

    async def counted(fn):
        writes.append(1)
        return await run(fn)

    hub.run = counted
    answer = await shop.post("/v1/catalogue/file", content="\n".join(lines), headers=CSV)
    assert (answer.status_code, answer.json()) == (200, {"rows": rows + 2, "changed": rows + 2})
    assert len(writes) > 2, "in slices"
    gift = (await shop.get("/v1/catalogue/GIFT")).json()
    assert gift["components"] == [{"sku_id": "S7", "quantity": 1}, {"sku_id": "S1100", "quantity": 2}]
    again = await shop.post("/v1/catalogue/file", content="\n".join(lines), headers=CSV)
    assert again.json() == {"rows": rows + 2, "changed": 0}


HEADER = "sku_id,name,gtins,components,owner"
# What is seen in one row, in the file as a whole, and against the catalogue that is there: (row, where its fault is).
FAULTS = {
    "by itself": [("B,B,5601234567891,,", "gtins"), ("C,,,,", "name"), ("D,D,,,,", "row")],
    "together": [
        (f"D,D,{gtin_of(1)},,", ""),
        (f"E,E,{gtin_of(1)},,", "gtins"),
        ("F,F,,G=1,", "components"),
        ("G,G,,F=1,", ""),
        ("D,D again,,,", "sku_id"),
    ],
    "against the catalogue": [
        ("A,<b>A</b>,,,", "name"),
        ("C,C,,GHOST=1,", "components[0].sku_id"),
        ("H,H,,C=0,", "components[0].quantity"),
    ],
    "against what it replaces": [("TEA,Tea,,,somebody", "owner")],
}


@pytest.mark.parametrize("rows", FAULTS.values(), ids=FAULTS)
async def test_every_bad_row_is_named_with_its_line_and_nothing_is_stored(
    shop: httpx.AsyncClient, rows: list[tuple[str, str]]
) -> None:
    good = [f"S{number},x,,," for number in range(IMPORT_ROWS_FIRST)]
    text = "\n".join([HEADER, *good, *(row for row, _ in rows)])
    answer = await shop.post("/v1/catalogue/file", content=text, headers=CSV)
    assert answer.status_code == 422
    named = {(fault["line"], fault["where"]) for fault in answer.json()["faults"]}
    first = len(good) + 2
    expected = {(first + place, where) for place, (_, where) in enumerate(rows) if where}
    # Of a circle of kits any one may be named.
    circle = {(first + place, "components") for place, (row, _) in enumerate(rows) if row[0] in "FG"}
    assert named - circle == expected - circle
    assert bool(named & circle) == bool(circle)
    assert [one["sku_id"] for one in (await shop.get("/v1/catalogue")).json()["skus"]] == ["TEA"]


async def test_a_gtin_may_move_between_skus_of_one_file_however_far_apart(shop: httpx.AsyncClient) -> None:
    one = {"sku_id": "A", "name": "A", "gtins": [gtin_of(1)]}
    other = {"sku_id": "Z", "name": "Z", "gtins": [gtin_of(2)]}
    await shop.post("/v1/catalogue", json={"skus": [one, other]})
    between = [f"S{number},x," for number in range(IMPORT_ROWS_FIRST)]
    text = "\n".join(["sku_id,name,gtins", f"A,A,{gtin_of(2)}", *between, f"Z,Z,{gtin_of(1)}"])
    answer = await shop.post("/v1/catalogue/file", content=text, headers=CSV)
    assert answer.status_code == 200, answer.text
    assert (await shop.get("/v1/catalogue/A")).json()["gtins"] == ["0" + gtin_of(2)]
    assert (await shop.get("/v1/catalogue/Z")).json()["gtins"] == ["0" + gtin_of(1)]


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"{}", {"Content-Type": "application/json"}, 415, "unsupported-media-type"),
        (b"sku_id,name\nA,A\n", {}, 415, "unsupported-media-type"),
        (b"", CSV, 422, "invalid-input"),
        (b"sku_id,name\n", CSV, 422, "invalid-input"),
        (b"sku_id,name\nA,\xff\n", CSV, 422, "invalid-input"),
        (b"\x00\x01\x02", CSV, 422, "invalid-input"),
        (b'sku_id,name\n"A,A\n', CSV, 422, "invalid-input"),
        (b"sku_id,name\nA\n", CSV, 422, "invalid-input"),
        (b" " * (IMPORT_BYTES_MAX + 1), CSV, 413, "body-too-large"),
    ],
)
async def test_what_is_no_catalogue_file_is_a_clear_refusal(
    shop: httpx.AsyncClient, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = await shop.post("/v1/catalogue/file", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_file_has_no_more_rows_than_the_bound(
    shop: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CATALOGUE_FILE_ROWS_MAX >= 10_000
    monkeypatch.setattr("bodega_controlplane.api.http.routes.catalogue.CATALOGUE_FILE_ROWS_MAX", 2)
    text = "sku_id,name\nA,A\nB,B\n"
    assert (await shop.post("/v1/catalogue/file", content=text, headers=CSV)).status_code == 200
    answer = await shop.post("/v1/catalogue/file", content=text + "C,C\n", headers=CSV)
    assert (answer.status_code, answer.json()["faults"][0]["where"]) == (422, "file")
