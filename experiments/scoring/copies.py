"""Untrained copies of a target: the same configuration, weights drawn anew.

What a copy's units seem to stand for was not learned. Knows how to make one in memory; the files of the target are not
needed.
"""

from __future__ import annotations

from copy import deepcopy

import torch

from tools.targets.target import Target

FIRST_SEED = 1001
"""Seed of the first copy; others follow."""


def untrained_copy(target: Target, seed: int) -> Target:
    """A copy on the target's device, in its number format. The global seed is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = type(target.model)(deepcopy(target.model.config))
    ready = model.to(device=target.device, dtype=target.model.dtype).eval()  # type: ignore[call-arg]  # hidden by a decorator
    return Target(f"{target.name}, untrained, seed {seed}", target.family, ready, target.processor)
