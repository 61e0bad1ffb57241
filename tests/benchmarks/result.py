"""One measurement, as the line that it is printed as: ours, and the raw limit found in the same run.

Times drift from machine to machine and from run to run, so a number without the limit of the machine
that it was taken on says little; the ratio is what is compared over time.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """`name` is `benchmark.what`; `limit` is the raw limit in the same unit; `ratio` is value / limit."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    ratio: float | None = None

    def __post_init__(self) -> None:
        numbers = (self.value, self.limit, self.ratio)
        if not all(math.isfinite(number) for number in numbers if number is not None):
            raise ValueError(f"{self.name}: a result must be finite, is {numbers}")

    @classmethod
    def against(cls, name: str, value: float, unit: str, limit: float) -> Result:
        """A result beside the raw limit that was measured in the same run."""
        return cls(name, value, unit, limit, round(value / limit, 4))

    def line(self) -> str:
        """The JSON object, on one line."""
        return json.dumps(asdict(self))
