"""Kits are taken apart into lines, and counted again by what became of those."""

from __future__ import annotations

import pytest

from bodega.core.kits import KitLine, explode, of_kit
from bodega.errors import InvalidInput
from bodega.limits_hub import KIT_LEVELS_MAX

BREAKFAST = {"BREAKFAST": [("TEA", 2), ("BREAD", 1)]}


def test_components_follow_all_other_lines_and_name_the_kit_that_they_are_of() -> None:
    lines = explode([(1, "BREAKFAST", 3), (2, "TEA", 1), (3, "BREAKFAST", 1)], BREAKFAST)
    assert lines == (
        KitLine(2, "TEA", 1),
        KitLine(4, "TEA", 6, 1),
        KitLine(5, "BREAD", 3, 1),
        KitLine(6, "TEA", 2, 3),
        KitLine(7, "BREAD", 1, 3),
    )


def test_a_sku_that_lies_in_a_kit_twice_is_one_line() -> None:
    components = BREAKFAST | {"WEEKEND": [("BREAKFAST", 2), ("TEA", 1)]}
    assert explode([(1, "WEEKEND", 2)], components) == (KitLine(2, "TEA", 10, 1), KitLine(3, "BREAD", 4, 1))


def test_kits_that_lie_in_each_other_without_end_are_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        explode([(1, "A", 1)], {"A": [("B", 1)], "B": [("A", 1)]})
    assert "can not be taken apart" in refused.value.message
    deep = {f"K{number}": [(f"K{number + 1}", 1)] for number in range(KIT_LEVELS_MAX)}
    assert explode([(1, "K0", 1)], deep) == (KitLine(2, f"K{KIT_LEVELS_MAX}", 1, 1),)


@pytest.mark.parametrize(
    ("parts", "kits"),
    [
        ([(6, 6, 0), (3, 3, 0)], (3, 0)),
        ([(6, 5, 1), (3, 3, 0)], (2, 1)),
        ([(6, 6, 0), (3, 0, 3)], (0, 3)),
        ([(6, 3, 3), (3, 2, 1)], (1, 2)),
    ],
)
def test_a_kit_is_whole_only_with_all_of_its_components(
    parts: list[tuple[int, int, int]], kits: tuple[int, int]
) -> None:
    assert of_kit(3, parts) == kits
