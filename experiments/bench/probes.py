"""Linear probes: which direction of the residual stream tells tokens of one kind from all others.

Ridge regression on 0/1 labels in which every group of tokens weighs the same. Pure functions of arrays.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

RIDGE = 1e-2
"""Penalty as a share of the features' mean square."""


def probe(
    features: Float[Tensor, "token width"], holds: Bool[Tensor, "token"], counted: Bool[Tensor, "token"]
) -> Float[Tensor, "width"]:
    """Weights w with features · w near 1 where it holds and near 0 elsewhere.

    Tokens where it holds, others of those that are `counted`, and all the rest weigh a third each. Raises ValueError
    where it holds of no counted token, or of all.
    """
    groups = (holds & counted, ~holds & counted, ~counted)
    if not (groups[0].any() and groups[1].any()):
        raise ValueError("a probe needs tokens of both kinds")
    weight = torch.zeros(len(holds), dtype=torch.float64)
    for group in groups:
        weight[group] = 1 / max(int(group.sum()), 1)
    wide = features.double()
    weighted = wide * weight[:, None]
    square = weighted.T @ wide
    square += RIDGE * square.diagonal().mean() * torch.eye(square.shape[0], dtype=torch.float64)
    found: Float[Tensor, "width"] = torch.linalg.solve(square, weighted.T @ groups[0].double())
    return found.float()


def probes(
    features: Float[Tensor, "token width"], labels: Float[Tensor, "token class"], ridge: float = RIDGE
) -> Float[Tensor, "class width"]:
    """One probe for each class against all other tokens, which together weigh as much as each class does."""
    counts = labels.sum(0).clamp(min=1)
    weight = (labels / counts).sum(1) + (labels.sum(1) == 0) / max(int((labels.sum(1) == 0).sum()), 1)
    wide = features.double()
    weighted = wide * weight.double()[:, None]
    square = weighted.T @ wide
    square += ridge * square.diagonal().mean() * torch.eye(square.shape[0], dtype=torch.float64)
    return torch.linalg.solve(square, weighted.T @ labels.double()).T.float()
