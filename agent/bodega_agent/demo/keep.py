"""What to try while a kept demo runs: lines that work as they stand, in another terminal."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from bodega_agent.demo.plan import Plan
from bodega_agent.demo.world import World, python_module


def what_to_try(plan: Plan, world: World) -> list[str]:
    """Shell lines, with comments between them."""
    node, site = world.nodes[0], plan.sites[0]
    hub = world.endpoints["http"]
    sku_id = site.intakes[0].product.sku_id
    token = shlex.quote(str(world.storefront_token))
    body = json.dumps(
        {
            "reference": "by-hand-1",
            "lines": [{"sku_id": sku_id, "quantity": 1}],
            "recipient": {
                "name": "Ada Lovelace",
                "address": ["Rua Augusta 1"],
                "postal_code": "1100-048",
                "country": "PT",
                "location": {"latitude": site.site.latitude, "longitude": site.site.longitude},
            },
        }
    )
    bearer = f'-H "Authorization: Bearer $(cat {token})"'
    headers = "-H 'Content-Type: application/json' -H 'Idempotency-Key: by-hand-1'"
    config = shlex.quote(str(node.config))
    bodega, bodegactl = (
        _program("bodega", "bodega_agent.cli"),
        _program("bodegactl", "bodega_controlplane.cli"),
    )
    exports = [f"export {name}={shlex.quote(value)}" for name, value in world.operator_env.items()]
    return [
        f"# the node {node.site.node_id} (associates go on working: new orders are picked by themselves)",
        f"export BODEGA_CONFIG={config}",
        f"{bodega} status",
        f"{bodega} tasks",
        f"{bodega} stock",
        f"{bodega} ledger verify",
        "# the centre",
        *exports,
        f"{bodegactl} nodes ls",
        f"{bodegactl} orders ls",
        f"{bodegactl} stock available {sku_id}",
        f"{bodegactl} conflicts ls",
        "# the shop: place an order, and see it go",
        f"curl -sS {hub}/v1/orders {bearer} {headers} -d {shlex.quote(body)}",
        f"curl -sS '{hub}/v1/orders?limit=1' {bearer}",
    ]


def _program(name: str, module: str) -> str:
    """How to call a program here: by its installed name if this environment has it, else as a module."""
    beside = Path(sys.executable).parent / name
    if beside.exists():
        return name if shutil.which(name) == str(beside) else shlex.quote(str(beside))
    return _line(python_module(module))


def _line(argv: Sequence[str]) -> str:
    return shlex.join(argv)
