"""A world's story in sentences: each kind of step says what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simulator.plan import Step

Say = Callable[[str, Mapping[str, Any]], str]

_DAY_S = 24 * 3600

_SENTENCES: Mapping[str, Say] = {
    "stock": lambda who, v: (
        f"{v['quantity']} {v['sku_id']} are received at {who} and put away in {v['bin_id']}"
    ),
    "order": lambda _, v: f"a shop orders {v['quantity']} {v['sku_id']}",
    "basket": lambda _, v: f"a shop orders {v['quantity']} and {v['other']} {v['sku_id']} in two lines",
    "split": lambda _, v: f"a shop orders {v['quantity']} {v['sku_id']}, of all nodes together if need be",
    "reassign": lambda who, v: f"a person gives the {v['nth'] + 1}th order to {who}",
    "hand_back": lambda who, _: f"{who} gives an order back that nobody has picked for",
    "look_after": lambda _who, _v: "the hub sees to orders that nobody has or that lack units",
    "cancel": lambda _, v: f"somebody cancels the {v['nth'] + 1}th order, whatever has become of it",
    "work": lambda who, v: f"an associate at {who} takes the oldest order, up to: {v['stops_after']}",
    "grant": lambda who, v: f"the hub gives {who} rights to {v['quantity']} {v['sku_id']}",
    "recall": lambda who, v: f"the hub asks {who} for rights to {v['quantity']} {v['sku_id']}",
    "reserve": lambda who, v: f"somebody walks into {who} and is promised {v['quantity']} {v['sku_id']}",
    "post": lambda who, v: f"{who} hands a unit over for its {v['nth'] + 1}th promise",
    "release": lambda who, v: f"{who} gives its {v['nth'] + 1}th promise back",
    "move": lambda who, v: f"{v['quantity']} {v['sku_id']} are moved out of {v['bin_id']} at {who}",
    "count": lambda who, v: f"a count at {who} finds {v['quantity']} cups in {v['bin_id']}",
    "scrap": lambda who, v: f"{v['quantity']} cups break at {who}",
    "return": lambda who, v: f"a customer returns {v['quantity']} cups to {who}",
    "transfer": lambda who, v: f"a lorry takes {v['quantity']} {v['sku_id']} from {who} to the next node",
    "twice": lambda who, v: f"two devices at {who} send the same receipt of {v['quantity']} {v['sku_id']}",
    "configure": lambda who, v: f"an operator configures {who}, {'rightly' if v['right'] else 'wrongly'}",
    "rename": lambda _, v: f"{v['sku_id']} gets another name in the catalogue",
    "profile": lambda who, _: f"the profile of {who} is registered again",
    "kill": lambda who, v: f"{who} is to be killed at its {v['points']}th {v['kind']} from now",
    "power_cut": lambda who, v: (
        f"the power of {who} is to fail at its {v['points']}th disk operation from now"
    ),
    "cut": lambda who, v: f"{who} is cut off ({v['way']}) for {v['lasts_s']} s",
    "noise": lambda who, v: (
        f"the link of {who} loses {v['lost']:.0%}, repeats {v['twice']:.0%}, takes up to {v['delay_s']} s"
        f"{' and shuffles' if v['shuffles'] else ''}, for {v['lasts_s']} s"
    ),
    "broker_restart": lambda _w, _v: "the broker restarts",
    "broker_away": lambda _, v: f"the broker is away for {v['lasts_s']} s",
    "broker_loses_tail": lambda _, v: (
        f"the broker's power fails; the last {v['messages']} messages of each stream are lost"
    ),
    "stream_deleted": lambda _, v: f"somebody deletes the stream {v['stream']}",
    "stream_purged": lambda _, v: f"somebody empties the stream {v['stream']}",
    "consumers_reset": lambda _, v: f"the consumers of {v['stream']} begin again",
    "clock_jump": lambda who, v: f"the wall clock of {who} jumps by {v['ms'] / 1000 / _DAY_S:+.3f} days",
    "disk_full": lambda who, v: f"the disk of {who} is full for {v['lasts_s']} s",
    "disk_error": lambda who, v: f"the disk of {who} fails for {v['lasts_s']:.1f} s",
    "weeks_apart": lambda who, v: f"{who} is cut off, and {v['lasts_s'] / _DAY_S:.1f} days pass",
    "restored_node": lambda who, v: (
        f"{who} is backed up, and {v['after_s']} s later put back from it{'' if v['declared'] else ', unsaid'}"
    ),
    "wiped_node": lambda who, _: f"{who} gets an empty disk",
    "restored_hub": lambda _, v: f"the hub is backed up, and {v['after_s']} s later put back from it",
    "clone": lambda who, _: f"the disk of {who} is copied into another box, and both run",
    "poison": lambda _, v: f"a rogue publishes an envelope: {v['kind']}",
    "unknown_event": lambda who, _: f"{who} writes an event of a later version",
    "operator_error": lambda who, v: f"an operator asks for what can not be at {who}: {v['kind']}",
}


def sentence_of(step: Step) -> str:
    """What a step does, in one sentence that begins with its number."""
    say = _SENTENCES.get(step.what, lambda who, values: f"{step.what} at {who} {dict(values)}")
    return f"[{step.number}] {say(step.who, step.values)}"
