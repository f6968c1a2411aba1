"""Pooling over token masks of any shape, and lengths of what heads write."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tools.pooling import Tokens, length_factor, pool, spans, written
from tools.pools import POOLS

MASKS = st.integers(1, 6).flatmap(
    lambda width: st.lists(st.lists(st.booleans(), min_size=width, max_size=width), min_size=1, max_size=6)
)


@given(MASKS)
def test_each_row_is_pooled_over_its_own_tokens(rows: list[list[bool]]) -> None:
    mask = torch.tensor(rows)
    values = torch.randn(*mask.shape, 3, generator=torch.Generator().manual_seed(0))
    answers = torch.zeros_like(mask)
    answers[:, -1] = True
    found = pool(values, Tokens(spans(mask), spans(~mask), spans(answers))).numpy()
    assert found.shape == (len(POOLS), len(rows), 3)
    for row, chosen in enumerate(mask):
        visual, question = values[row][chosen].numpy(), values[row][~chosen].numpy()
        nothing = np.full(3, np.nan)
        expected = [
            visual.max(0) if len(visual) else nothing,
            visual.min(0) if len(visual) else nothing,
            visual.mean(0) if len(visual) else nothing,
            question.max(0) if len(question) else nothing,
            question.min(0) if len(question) else nothing,
            values[row, -1].numpy(),
        ]
        np.testing.assert_allclose(found[:, row], expected, atol=1e-6)


def test_rows_with_equal_masks_share_a_span_that_copies_nothing() -> None:
    (span,) = spans(torch.tensor([[False, True, True]] * 4))
    assert span.rows == slice(None) and span.positions == slice(1, 3)


def test_half_precision_is_pooled_in_single() -> None:
    values = torch.randn(2, 5, 3).half()
    everywhere = spans(torch.ones(2, 5, dtype=torch.bool))
    found = pool(values, Tokens(everywhere, (), ()))
    assert found.dtype == torch.float32 and torch.equal(found[2], values.float().mean(1))


def test_a_heads_length_is_that_of_its_own_output_projection() -> None:
    z, weights = torch.randn(2, 3, 4 * 6), torch.randn(4, 6, 24)
    factors = torch.stack([length_factor(weight) for weight in weights])
    direct = torch.einsum("rphd,hdw->rphw", z.view(2, 3, 4, 6), weights).norm(dim=-1)
    assert (written(z, factors) - direct).abs().max() < 1e-4


def test_a_heads_length_is_right_where_it_is_wider_than_the_stream() -> None:
    z, weight = torch.randn(2, 3, 8), torch.randn(8, 5)
    direct = (z @ weight).norm(dim=-1)
    assert (written(z, length_factor(weight)[None])[..., 0] - direct).abs().max() < 1e-4


@pytest.mark.parametrize("broken", [torch.nan, torch.inf, -torch.inf])
def test_what_is_no_finite_number_is_infinite_in_every_pool_and_never_missing(broken: float) -> None:
    values = torch.ones(2, 4, 2)
    values[0, 1, 0] = broken
    values[1, 3, 1] = broken
    mask = torch.tensor([[True, True, False, False]] * 2)
    answers = torch.tensor([[False, False, False, True]] * 2)
    found = pool(values, Tokens(spans(mask), spans(~mask), spans(answers)))
    assert found[:3, 0, 0].tolist() == [torch.inf] * 3 and found[3:, 1, 1].tolist() == [torch.inf] * 3
    found[:3, 0, 0], found[3:, 1, 1] = 1, 1
    assert found.tolist() == torch.ones_like(found).tolist()
