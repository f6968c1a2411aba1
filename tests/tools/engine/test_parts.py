"""Attention to two parts of the keys comes to what attention to all of them is."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.tools.engine.test_starts import fresh, from_inputs
from tests.tools.engine.test_tails import STIMULI, everywhere
from tools.engine import parts
from tools.engine.engine import Engine
from tools.engine.known import Known, repeated
from tools.engine.plan import Plan
from tools.targets.decoder import FEWEST

BEFORE, OWN, WIDTH, SCALING = 21, 5, 8, 0.3
LOWEST = torch.finfo(torch.float32).min


@pytest.fixture(params=["kernel", "open"])
def way(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """With torch's kernel for CPUs, and as on a device that has none."""
    if request.param == "open":
        monkeypatch.setattr(parts, "FLASH", None)
    elif parts.FLASH is None:
        pytest.skip("this torch has no such kernel")
    return str(request.param)


def tensors(rows: int, heads: int, groups: int, own: int = OWN, seed: int = 0) -> list[Tensor]:
    """Queries, own keys and values of rows, and keys and values that they share."""
    made = torch.Generator().manual_seed(seed)
    shapes = [(rows, heads, own), (rows, groups, own), (rows, groups, own), *[(1, groups, BEFORE)] * 2]
    return [2 * torch.randn(*shape, WIDTH, generator=made) for shape in shapes]


def causal(padding: int = 0, own: int = OWN) -> Tensor:
    """What is added to scores where the first `padding` keys are hidden."""
    keys = torch.arange(BEFORE + own)
    seen = (keys <= keys[BEFORE:, None]) & (keys >= padding)
    return torch.where(seen, 0.0, LOWEST)[None, None]


def plain(query: Tensor, key: Tensor, value: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    """All scores at once, in double precision."""
    whole = [
        torch.cat([old.expand(len(new), -1, -1, -1), new], 2) for old, new in ((keys, key), (values, value))
    ]
    joined = [repeated(one, query.shape[1]).double() for one in whole]
    scores = query.double() @ joined[0].transpose(2, 3) * SCALING + mask
    return scores.softmax(-1) @ joined[1]


@pytest.mark.parametrize(("heads", "groups"), [(4, 4), (6, 2)])
@pytest.mark.parametrize("padding", [0, 7, BEFORE, BEFORE + 2])
def test_known_and_own_keys_come_to_what_all_keys_are(
    way: str, heads: int, groups: int, padding: int
) -> None:
    query, key, value, keys, values = tensors(3, heads, groups)
    mask = causal(padding)
    found = Known(keys, values, None, real=not padding).attended(query, key, value, mask, SCALING)
    seen = slice(max(padding - BEFORE, 0), None)  # what stands at hidden positions is read by nobody
    assert found.isfinite().all()
    assert (found - plain(query, key, value, keys, values, mask))[:, :, seen].abs().max() < 1e-5


@pytest.mark.parametrize("own", [1, 5])
def test_a_row_gives_the_same_beside_any_number_of_others(own: int) -> None:
    query, key, value, keys, values = tensors(200, 4, 4, own)
    known, mask = Known(keys, values, None, real=True), causal(own=own)
    whole = known.attended(query, key, value, mask, SCALING)
    for rows in (FEWEST, 5, 33, 34, 65, 129, 193, 199):
        few = known.attended(query[:rows], key[:rows], value[:rows], mask, SCALING)
        assert (few - whole[:rows]).abs().max() < 1e-6, rows  # the same bits on most processors, not on all


def test_scores_too_far_apart_for_their_exponentials_are_joined_too(way: str) -> None:
    query, key, value, keys, values = tensors(2, 2, 2)
    for large in (keys, key):
        large.mul_(40)
        found = Known(keys, values, None, real=True).attended(query, key, value, causal(), SCALING)
        assert (found - plain(query, key, value, keys, values, causal())).abs().max() < 1e-4
        large.div_(40)


def test_rows_behind_a_memory_give_the_same_either_way(way: str, asking: Engine) -> None:
    plan = Plan(STIMULI, everywhere("attn.z", (-6, -1)))
    assert (fresh(asking).run(plan).logits - from_inputs(asking, plan).logits).abs().max() < 1e-5
