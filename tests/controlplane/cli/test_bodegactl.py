"""`bodegactl` against a real `bodegactl serve` without a broker: what it says, as JSON and with which exit code."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import httpx
import pytest

from bodega.core.lifecycles import OrderState
from support.bodegactl import ControlPlane, Said, address_of_nobody, bodegactl, write_config
from support.controlplane import gtin_of
from support.faces import order_body

PROFILE = """\
node_id = "porto-01"
name = "Porto"
location = { latitude = 41.1, longitude = -8.6 }
ship_from = ["Bodega Porto", "Rua 1"]
bins = [{ bin_id = "A-1", walk_order = 1 }]
[sscc_range]
extension = 3
company_prefix = "5600001"
first_serial = 0
last_serial = 99
"""


@pytest.fixture(scope="module")
def order_id(hub: ControlPlane) -> str:
    """An order placed over the storefront's API."""
    token = (hub.data_dir / "storefront.token").read_text(encoding="ascii").strip()
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k1"}
    answer = httpx.post(
        f"{hub.http}/v1/orders", json=order_body(("TEA", 3), reference="W-7"), headers=headers
    )
    assert answer.status_code == 201
    return str(answer.json()["order_id"])


def refused(said: Said, code: int) -> str:
    """It failed as documented: this exit code, what is wrong, what to do next, no traceback."""
    assert said.code == code, said.err
    assert said.err.startswith("error: ")
    assert "  next: " in said.err
    assert "Traceback" not in said.err
    assert said.out == ""
    return said.err


def test_orders_are_listed_shown_and_explained(hub: ControlPlane, order_id: str) -> None:
    [listed] = hub.ask("orders", "ls", "--json").json()["orders"]
    assert (listed["order_id"], listed["reference"], listed["state"]) == (order_id, "W-7", "confirmed")
    assert hub.ask("orders", "show", order_id, "--json").json() == listed
    table = hub.ask("orders", "ls", "--state", "confirmed").out
    assert table.splitlines()[0].split() == ["ORDER", "STATE", "NODE", "UNITS", "PLACED", "REF"]
    assert order_id in table
    assert "TEA" in hub.ask("orders", "show", order_id).out
    decision = hub.ask("orders", "explain", order_id, "--json").json()
    assert decision["node_id"] == "lisbon-01"
    assert {"rule", "candidates", "decided_at_ms"} <= decision.keys()
    assert f"{order_id} went to lisbon-01" in hub.ask("orders", "explain", order_id).out


def test_no_order_in_a_state_is_a_sentence(hub: ControlPlane) -> None:
    said = hub.ask("orders", "ls", "--state", "shipped")
    assert (said.code, said.out.startswith("No orders.")) == (0, True)
    assert hub.ask("orders", "ls", "--state", "shipped", "--json").json() == {"orders": []}


def test_stock_and_its_promise(hub: ControlPlane, order_id: str) -> None:
    assert order_id
    [level] = hub.ask("stock", "ls", "--node", "lisbon-01", "--sku", "TEA", "--json").json()["levels"]
    assert (level["bin"], level["on_hand"], level["disposition"]) == ("A-01-01", 12, "sellable_accessible")
    rows = hub.ask("stock", "available", "TEA", "--json").json()["availability"]
    lisbon = next(row for row in rows if row["node_id"] == "lisbon-01")
    assert (lisbon["sellable"], lisbon["reserved"], lisbon["safety_stock"], lisbon["available"]) == (
        12,
        3,
        2,
        7,
    )
    assert "AVAILABLE" in hub.ask("stock", "available", "TEA").out


def test_the_last_word_on_a_cancel_is_the_nodes(hub: ControlPlane, order_id: str) -> None:
    # The order stays listed as confirmed for the tests above; pytest runs this file from top to bottom.
    cancelled = hub.ask("orders", "cancel", order_id, "--json").json()
    assert OrderState(cancelled["state"]) is OrderState.CANCEL_REQUESTED


def test_a_catalogue_is_imported_from_csv_and_json_and_importing_again_changes_nothing(
    hub: ControlPlane, tmp_path: Path
) -> None:
    table = tmp_path / "c.csv"
    table.write_text(f"\ufeffsku_id,name,gtins\nCUP,Cup \u00e9,{gtin_of(501)}\nLID,Lid,\n", encoding="utf-8")
    assert hub.ask("catalog", "import", table).out == "2 SKUs read, 2 new or changed.\n"
    assert hub.ask("catalog", "import", table, "--json").json() == {"rows": 2, "changed": 0}
    document = tmp_path / "c.json"
    document.write_text(json.dumps({"skus": [{"sku_id": "LID", "name": "Big lid"}]}), encoding="utf-8")
    assert hub.ask("catalog", "import", document, "--json").json() == {"rows": 1, "changed": 1}
    skus = {sku["sku_id"]: sku for sku in hub.ask("catalog", "ls", "--json").json()["skus"]}
    assert skus["CUP"]["gtins"] == [gtin_of(501).zfill(14)]
    assert (skus["LID"]["name"], skus["LID"]["version"]) == ("Big lid", 2)


def test_a_catalogue_with_bad_rows_is_not_half_imported(hub: ControlPlane, tmp_path: Path) -> None:
    table = tmp_path / "c.csv"
    table.write_text("sku_id,name,gtins\nGOOD,Good,\nBAD,,123\n", encoding="utf-8")
    err = refused(hub.ask("catalog", "import", table), 65)
    assert "line 3: name: is required" in err
    assert "line 3: gtins: " in err
    # The second kind of fault is one that only the control plane can see.
    table.write_text(f"sku_id,name,gtins\nGOOD,Good,\n\nGOOD,Good again,{gtin_of(502)}\n", encoding="utf-8")
    assert "line 4: sku_id: " in refused(hub.ask("catalog", "import", table), 65)
    assert "GOOD" not in hub.ask("catalog", "ls").out


def test_a_file_that_cannot_be_imported_is_one_clear_line(hub: ControlPlane, tmp_path: Path) -> None:
    assert "No such file" in refused(hub.ask("catalog", "import", tmp_path / "none.csv"), 66)
    other = tmp_path / "c.xlsx"
    other.write_bytes(b"PK")
    assert "neither .csv nor .json" in refused(hub.ask("catalog", "import", other), 65)
    latin = tmp_path / "c.csv"
    latin.write_bytes(b"sku_id,name\nA,caf\xe9\n")
    assert "not UTF-8 at line 2" in refused(hub.ask("catalog", "import", latin), 65)


def test_a_node_is_registered_and_told_what_to_put_into_its_configuration(
    hub: ControlPlane, tmp_path: Path
) -> None:
    file = tmp_path / "porto.toml"
    file.write_text(PROFILE, encoding="utf-8")
    answer = hub.ask("nodes", "register", file, "--json").json()
    toml = tomllib.loads(answer["agent_toml"])
    assert (answer["node_id"], toml["node_id"]) == ("porto-01", "porto-01")
    assert toml["hub"]["verify_key"] == answer["hub_verify_key"]
    as_json = tmp_path / "porto.json"
    as_json.write_text(json.dumps(tomllib.loads(PROFILE)), encoding="utf-8")
    assert answer["hub_verify_key"] in hub.ask("nodes", "register", as_json).out
    nodes = hub.ask("nodes", "ls", "--json").json()["nodes"]
    assert [node["node_id"] for node in nodes] == ["lisbon-01", "porto-01"]
    assert nodes[1]["health"] is None
    assert hub.ask("nodes", "show", "porto-01", "--json").json() == nodes[1]
    assert "never" in hub.ask("nodes", "show", "porto-01").out
    assert hub.ask("nodes", "configure", "porto-01", "vision.mode=off", "--json").json() == {
        "node_id": "porto-01",
        "generation": 1,
    }


def test_every_fault_of_a_profile_is_named_with_its_line(hub: ControlPlane, tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(PROFILE.replace('"Porto"', "7").replace("extension", "extention"), encoding="utf-8")
    err = refused(hub.ask("nodes", "register", file), 65)
    assert "line 2: name: " in err
    assert "sscc_range.extention: is not a known key" in err
    assert "sscc_range.extension: is required" in err
    # Shape right, values wrong: the control plane finds those, and the lines are still named.
    file.write_text(PROFILE.replace("41.1", "141.1").replace('"5600001"', '"x"'), encoding="utf-8")
    err = refused(hub.ask("nodes", "register", file), 65)
    assert "line 3: location.latitude: " in err
    assert "line 8: sscc_range.company_prefix: " in err
    file.write_text(PROFILE.replace("walk_order = 1", "walk_order = -1"), encoding="utf-8")
    refused(hub.ask("nodes", "register", file), 65)


def test_settings_must_be_pairs(hub: ControlPlane) -> None:
    err = refused(hub.ask("nodes", "configure", "lisbon-01", "vision.mode", "a=1", "a=2"), 65)
    assert "vision.mode: is not KEY=VALUE" in err
    assert "a: is given twice" in err


def test_what_was_done_is_in_the_audit_trail_and_it_verifies(hub: ControlPlane, order_id: str) -> None:
    entries = hub.ask("audit", "ls", "--subject", order_id, "--json").json()["entries"]
    assert {entry["actor"] for entry in entries} <= {"storefront", "operator"}
    check = hub.ask("audit", "verify", "--json").json()
    assert (check["entries"] > 0, check["first_bad_seq"]) == (True, 0)
    assert "The chain holds" in hub.ask("audit", "verify").out


def test_empty_reads_are_a_sentence_or_an_empty_list(hub: ControlPlane) -> None:
    assert hub.ask("conflicts", "ls").out == "No conflicts.\n"
    assert hub.ask("decisions", "ls", "--json").json() == {"decisions": []}
    assert hub.ask("nodes", "refused").out == "Nothing was refused.\n"
    assert hub.ask("nodes", "parked", "lisbon-01").out == "Every event has its effect.\n"
    assert hub.ask("nodes", "telemetry", "lisbon-01", "--json").json() == {"telemetry": []}


@pytest.mark.parametrize(
    "words",
    [
        ("orders", "show", "O-nope"),
        ("nodes", "show", "nope"),
        ("nodes", "telemetry", "nope"),
        ("nodes", "configure", "nope", "a=1"),
    ],
)
def test_unknown_things_end_with_66(hub: ControlPlane, words: tuple[str, ...]) -> None:
    assert "nope" in refused(hub.ask(*words), 66)


def test_without_a_token_it_says_how_to_give_one(hub: ControlPlane, tmp_path: Path) -> None:
    missing = hub.ask("nodes", "ls", BODEGACTL_TOKEN_FILE=str(tmp_path / "none"))
    assert "--token-file" in refused(missing, 77)
    wrong = tmp_path / "wrong.token"
    wrong.write_text("not-the-token\n", encoding="ascii")
    assert "--token-file" in refused(hub.ask("nodes", "ls", "--token-file", wrong), 77)


def test_the_storefronts_token_is_not_the_operators(hub: ControlPlane) -> None:
    err = refused(hub.ask("nodes", "ls", "--token-file", hub.data_dir / "storefront.token"), 77)
    assert "not the operator's token" in err


def test_a_hub_that_is_not_there_ends_with_69(hub: ControlPlane) -> None:
    nobody = address_of_nobody()
    err = refused(hub.ask("nodes", "ls", "--hub", nobody), 69)
    assert nobody in err
    assert "BODEGACTL_HUB" in err


def test_options_may_stand_before_the_command_too_and_win_over_the_environment(hub: ControlPlane) -> None:
    nobody = address_of_nobody()
    assert hub.ask("--hub", hub.grpc, "nodes", "ls", BODEGACTL_HUB=nobody).code == 0
    assert hub.ask("--hub", nobody, "nodes", "ls", "--hub", hub.grpc).code == 0


def test_an_address_that_is_none_is_refused(hub: ControlPlane) -> None:
    assert "HOST:PORT" in refused(hub.ask("nodes", "ls", "--hub", "somewhere"), 65)


def test_it_serves_without_a_broker(hub: ControlPlane) -> None:
    health = httpx.get(f"{hub.http}/healthz").json()
    assert (health["status"], health["broker_connected"]) == ("ok", False)


def test_the_log_holds_one_line_a_request_and_nothing_personal(hub: ControlPlane, order_id: str) -> None:
    hub.ask("orders", "show", order_id)
    lines = [json.loads(line) for line in hub.log.read_text(encoding="utf-8").splitlines()]
    events = {line["event"] for line in lines}
    assert {"http_request", "grpc_request", "ready"} <= events
    text = json.dumps(lines, ensure_ascii=False)
    tokens = [path.read_text(encoding="ascii").strip() for path in hub.data_dir.glob("*.token")]
    assert len(tokens) == 2
    for private in ("Maria", "Segredo", *tokens):
        assert private not in text


def test_help_teaches_without_a_hub_and_without_a_token() -> None:
    top = bodegactl("--help")
    assert (top.code, "Exit codes" in top.out) == (0, True)
    for words in (("serve",), ("nodes", "register")):
        said = bodegactl(*words, "--help")
        assert said.code == 0
        assert "Example" in said.out


def test_wrong_usage_ends_with_2() -> None:
    assert bodegactl("nope").code == 2
    assert bodegactl("orders", "ls", "--state", "lost", "--limit", "0").code == 2


def test_the_version_is_told() -> None:
    assert bodegactl("--version").out.startswith("bodegactl, version ")


def test_a_bad_configuration_names_every_fault_with_its_line_and_ends_with_78(tmp_path: Path) -> None:
    config = tmp_path / "controlplane.toml"
    config.write_text(
        'data_dir = 7\nlog_level = "loud"\n[nats]\nurl = "nats://elsewhere:4222"\n', encoding="utf-8"
    )
    err = refused(bodegactl("serve", "--config", config), 78)
    for line in ("line 1: data_dir", "line 2: log_level", "line 4: nats.url"):
        assert line in err
    refused(bodegactl("serve", "--config", tmp_path / "none.toml"), 66)


def test_a_port_in_use_ends_with_71(hub: ControlPlane, tmp_path: Path) -> None:
    for face, address in (("http", hub.http), ("grpc", hub.grpc)):
        config = write_config(tmp_path, tmp_path / "data", nats_url=f"nats://{address_of_nobody()}")
        port = address.rpartition(":")[2]
        text = config.read_text(encoding="utf-8").replace(f"[{face}]\nport = 0", f"[{face}]\nport = {port}")
        config.write_text(text, encoding="utf-8")
        said = bodegactl("serve", "--config", config)
        assert said.code == 71
        assert port in said.err
        assert "Traceback" not in said.err


def test_a_node_is_readmitted_with_a_reason_and_the_audit_says_so(hub: ControlPlane) -> None:
    said = hub.ask("nodes", "readmit", "lisbon-01", "--reason", "new disk", "--json").json()
    assert (said["node_id"], said["ends_ms"] > 0) == ("lisbon-01", True)
    assert "may begin a new epoch until" in hub.ask("nodes", "readmit", "lisbon-01", "--reason", "x").out
    entries = hub.ask("audit", "ls", "--subject", "lisbon-01", "--json").json()["entries"]
    assert [entry["action"] for entry in entries[:2]] == ["node.readmitted"] * 2
    assert "nodes ls" in refused(hub.ask("nodes", "readmit", "nobody", "--reason", "x"), 66)
    assert hub.ask("nodes", "readmit", "lisbon-01").code == 2
    assert "lost here" in hub.ask("nodes", "show", "lisbon-01").out
