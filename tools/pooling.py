"""Pooling on the device: activations at every position of a batch become one number a row and pool.

Knows positions and how heads write; knows nothing about modules or addresses. Rows whose tokens stand at the same
positions are pooled together, as a slice where the tokens are neighbours, so that nothing large is copied.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tools.pools import POOLS
from tools.targets.batch import SCOPES, Batch, Space


class Span(NamedTuple):
    """Rows that share their token positions."""

    rows: slice | Tensor
    positions: slice | Tensor


class Tokens(NamedTuple):
    """Where a space's visual, question and answer tokens are in one batch; a row without any stands in no span."""

    visual: tuple[Span, ...]
    question: tuple[Span, ...]
    answer: tuple[Span, ...]


def tokens_of(batch: Batch, space: Space) -> Tokens:
    """The vision tower has no question and no answer; its visual tokens are the patches."""
    visual, question, answer = (
        spans(batch.where(space, scope)) if scope in SCOPES[space] else ()
        for scope in ("visual", "question", "answer")
    )
    return Tokens(visual, question, answer)


def pool(
    values: Float[Tensor, "row position component"], tokens: Tokens
) -> Float[Tensor, "pool row component"]:
    """Every pool of POOLS, in order, as float32; NaN where a row has no such tokens, infinite where a value at one of
    them is no finite number."""
    found = torch.full(
        (len(POOLS), len(values), values.shape[2]), torch.nan, dtype=torch.float32, device=values.device
    )
    most, least, mean, question_most, question_least, answer = found
    for span in tokens.visual:
        chosen = _chosen(values, span)
        most[span.rows], least[span.rows], mean[span.rows] = _finite(
            chosen.amax(1), chosen.amin(1), chosen.mean(1)
        )
    for span in tokens.question:
        chosen = _chosen(values, span)
        question_most[span.rows], question_least[span.rows] = _finite(chosen.amax(1), chosen.amin(1))
    for span in tokens.answer:
        (answer[span.rows],) = _finite(_chosen(values, span)[:, 0])
    return found


def spans(mask: Bool[Tensor, "row position"]) -> tuple[Span, ...]:
    """The rows of a mask, those with equal positions together, those without any left out."""
    patterns: dict[bytes, list[int]] = {}
    rows = mask.cpu().numpy()
    for number, row in enumerate(rows):
        if row.any():
            patterns.setdefault(row.tobytes(), []).append(number)
    return tuple(_spans(patterns.values(), rows, mask.device))


def written(
    z: Float[Tensor, "row position heads_by_width"], factors: Float[Tensor, "head width width"]
) -> Float[Tensor, "row position head"]:
    """Length of what each head adds to the residual stream at each position, from what it read there."""
    heads = z.float().unflatten(-1, (len(factors), -1))
    return torch.einsum("rphd,hde->rphe", heads, factors).norm(dim=-1)


def length_factor(write: Float[Tensor, "head_width width"]) -> Float[Tensor, "head_width head_width"]:
    """A small matrix F with ‖zF‖ = ‖zW‖ for every z: W's triangular factor. Without it lengths would cost a whole
    output projection for each head."""
    return torch.linalg.qr(write.float().T, mode="r").R.T


def _spans(groups: Iterable[list[int]], rows: np.ndarray, device: torch.device) -> Iterable[Span]:
    for group in groups:
        positions = np.flatnonzero(rows[group[0]])
        first, last = int(positions[0]), int(positions[-1])
        neighbours = last - first + 1 == len(positions)
        yield Span(
            slice(None) if len(group) == len(rows) else torch.tensor(group, device=device),
            slice(first, last + 1) if neighbours else torch.tensor(positions, device=device),
        )


def _finite(*pooled: Float[Tensor, "row component"]) -> list[Float[Tensor, "row component"]]:
    """The same, infinite in each of them where one is no finite number."""
    broken = torch.stack([~one.isfinite() for one in pooled]).any(0)
    return [one.masked_fill(broken, torch.inf) for one in pooled]


def _chosen(values: Float[Tensor, "row position component"], span: Span) -> Tensor:
    # Positions first: a slice of them costs nothing, and the rows that are then copied are shorter.
    at = values[:, span.positions]
    return (at if isinstance(span.rows, slice) else at[span.rows]).float()
