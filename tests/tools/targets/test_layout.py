"""What a layout shows of a tensor is what it puts back."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from tools.targets.layout import Layout

ROWS, POSITIONS, WIDTH = 3, 5, 6


@given(st.permutations(range(POSITIONS)), st.integers(0, 2))
def test_positions_stand_in_order_whatever_the_order_of_their_places(places: list[int], part: int) -> None:
    packed = torch.arange(ROWS * POSITIONS * WIDTH).float().view(-1, WIDTH)
    layout = Layout(slice(2 * part, 2 * part + 2), torch.tensor(places))
    seen = layout.seen(packed)
    for row in range(ROWS):
        for position in range(POSITIONS):
            own = packed[row * POSITIONS + places[position]]
            assert torch.equal(seen[row, position], own[2 * part : 2 * part + 2])


@given(st.sampled_from([None, [0, 1, 2, 3, 4], [4, 2, 0, 1, 3]]), st.sampled_from([slice(None), slice(2, 4)]))
def test_what_is_put_is_seen_and_nothing_else_has_moved(places: list[int] | None, columns: slice) -> None:
    shape = (ROWS, POSITIONS, WIDTH) if places is None else (ROWS * POSITIONS, WIDTH)
    tensor = torch.randn(shape)
    layout = Layout(columns, None if places is None else torch.tensor(places))
    assert torch.equal(layout.put(tensor, layout.seen(tensor)), tensor)
    changed = layout.put(tensor, layout.seen(tensor) + 1)
    assert torch.allclose(layout.seen(changed), layout.seen(tensor) + 1)
    moved = (changed - tensor).abs().sum()
    assert abs(float(moved) - layout.seen(tensor).numel()) < 1e-2
