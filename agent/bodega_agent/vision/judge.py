"""What the evidence of one frame means. PURE: numbers and codes in, outcome and reasons out.

Open-set: `pass` and `fail` are said only on positive evidence, a readable GTIN with its check digit;
everything else is `review`, which sends a person to look. The table:

| the frame shows                    | outcome | code           |
|------------------------------------|---------|----------------|
| too little light, too much, blur   | review  | `too_dark`, `too_bright`, `blurred` |
| an expected GTIN and no other      | pass    | `expected_item` |
| other GTINs only                   | fail    | `other_item`   |
| an expected GTIN and another       | review  | `extra_item`   |
| codes, but none that holds a GTIN  | review  | `no_gtin`      |
| no readable code                   | review  | `no_code`      |
| (the SKU has no GTIN to look for)  | review  | `no_expectation` |

An expected item beside another is no `fail`: the right thing is there, and the second code may be a
neighbour's or a carton's. It is no `pass` either, because nobody knows which of the two goes into the
parcel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from bodega_agent.vision.messages import Outcome, reason

NOT_A_GTIN = "?"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a frame stops being usable; units as in `models/README.md`.

    The defaults are set so that frames out of which zxing-cpp reads a retail code are kept (the model card
    says how many of the real photographs are). They are advisory: a site with its own light sets its own.
    """

    luminance_min: float = 25.0
    luminance_max: float = 235.0
    dark_share_max: float = 0.85
    bright_share_max: float = 0.85
    sharpness_min: float = 30.0

    def as_numbers(self) -> dict[str, float]:
        """For the decision record."""
        return asdict(self)


Judgement = tuple[Outcome, tuple[str, ...]]


def judge_quality(scores: Mapping[str, float], limits: Thresholds) -> tuple[str, ...]:
    """Why this frame can not be judged; empty when it can. Scores by the names of the model's outputs."""
    luminance, sharpness = scores["luminance_mean"], scores["sharpness"]
    dark, bright = scores["dark_share"], scores["bright_share"]
    reasons = []
    if luminance < limits.luminance_min or dark > limits.dark_share_max:
        reasons.append(
            reason("too_dark", f"Mean luminance {luminance:.0f} of 255, {dark:.0%} of it black; add light.")
        )
    if luminance > limits.luminance_max or bright > limits.bright_share_max:
        reasons.append(
            reason(
                "too_bright",
                f"Mean luminance {luminance:.0f} of 255, {bright:.0%} of it white; cut the glare.",
            )
        )
    if not reasons and sharpness < limits.sharpness_min:
        reasons.append(
            reason(
                "blurred",
                f"Sharpness {sharpness:.0f}, below {limits.sharpness_min:.0f}; hold still, clean the lens.",
            )
        )
    return tuple(reasons)


def judge_codes(expected: tuple[str, ...], seen: tuple[str, ...]) -> Judgement:
    """Compare the GTINs expected with the codes seen (GTINs of 14 digits; other codes start with `?`)."""
    gtins = tuple(code for code in seen if not code.startswith(NOT_A_GTIN))
    matched = tuple(gtin for gtin in gtins if gtin in expected)
    others = tuple(gtin for gtin in gtins if gtin not in expected)
    if not expected:
        return "review", (reason("no_expectation", "This SKU has no GTIN on file, so no code can prove it."),)
    if matched and others:
        return "review", (
            reason(
                "extra_item", f"GTIN {matched[0]} is there, but so is {others[0]}; one of them is too many."
            ),
        )
    if matched:
        return "pass", (reason("expected_item", f"GTIN {matched[0]} was read and is expected."),)
    if others:
        return "fail", (
            reason("other_item", f"GTIN {others[0]} was read; expected {' or '.join(expected[:3])}."),
        )
    if seen:
        return "review", (reason("no_gtin", f"{len(seen)} code(s) were read, but none holds a GTIN."),)
    return "review", (
        reason("no_code", "No readable barcode; turn the item so that its code faces the camera."),
    )
