"""What other corruptions give on the same items: effects and transplanted shares under other words and under noise.

Knows comparable pairs and what `make_pairs` and `patch` measure; so that numbers can be held against one another, an
item counts under all corruptions or under none. Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from store.address import Address
from store.errors import PlannerError
from store.records import Quantity, Reading
from tools.methods.contrasts import paired, ratio_of_sums, with_control
from tools.methods.corruptions import CORRUPTIONS, OTHERS, Corruption, corrupted, off_manifold
from tools.methods.duels import Duel, duels
from tools.methods.pairing import FEWEST, Made
from tools.methods.transplants import GAP, Metric, Positions, transplanted
from tools.methods.values import known, unit, values
from tools.stimuli import Pair

if TYPE_CHECKING:
    from tools.context import ToolContext


class Beside(NamedTuple):
    """Numbers to stand beside those of edited pictures, and what could not be said."""

    quantities: dict[str, Quantity]
    warnings: tuple[str, ...] = ()


def effects_beside(
    context: ToolContext, addresses: Sequence[Address], reading: Reading, pairs: Sequence[Pair], noise: float
) -> dict[str, Quantity]:
    """`effect_text` and `effect_noise`: with − corrupt of the first address in sd, beside the other ones; and how far
    each corruption leads from the data."""
    sds = np.array([unit(known(context, one, reading)) for one in addresses])
    seed = context.derived_seed(addresses[0], "corruptions")
    corrupt = {name: corrupted(context, pairs, name, noise) for name in CORRUPTIONS}
    found = dict[str, Quantity]()
    for name in OTHERS:
        both = [side for pair in corrupt[name] for side in (pair.with_, pair.without)]
        sides = values(context, addresses, reading, both).reshape(len(corrupt[name]), 2, len(addresses))
        moved = (sides[:, 0] - sides[:, 1]) / sds
        effect = paired(moved[:, 0], 1.0, seed=seed)
        found[f"effect_{name}"] = with_control(effect, moved[:, 1:].mean(axis=0), seed=seed)
    return found | off_manifold(context, pairs, corrupt)


def duels_alike(context: ToolContext, made: Made, noise: float) -> dict[Corruption, list[Duel]]:
    """The pairs under every corruption as duels, each item under all of them.

    Raises PlannerError where fewer than FEWEST are left.
    """
    found = {
        name: duels(context, made._replace(pairs=corrupted(context, made.pairs, name, noise)))
        for name in CORRUPTIONS
    }
    shared = set.intersection(*({duel.pair.with_.key for duel in told} for told in found.values()))
    if len(shared) < FEWEST:
        raise PlannerError(
            f"only {len(shared)} items have two different answers of one token under every corruption",
            kind="pairs",
            hint="leave `compare` out, or name another concept",
        )
    return {name: [duel for duel in told if duel.pair.with_.key in shared] for name, told in found.items()}


def shares_beside(
    context: ToolContext,
    told: dict[Corruption, list[Duel]],
    sets: Sequence[Sequence[Address]],
    positions: Positions,
    metric: Metric,
    seed: int,
) -> Beside:
    """`denoising_…`, `noising_…` and `gap_…` under other words and under noise, and how far each corruption leads from
    the data. A corruption whose sides the target hardly tells apart has a gap alone, and a warning."""
    found, warnings = dict[str, Quantity](), list[str]()
    for name in OTHERS:
        runs = transplanted(context, told[name], sets, positions, metric)
        gaps = runs.clean - runs.corrupt
        found[f"gap_{name}"] = Quantity(value=float(gaps.mean()), unit=metric, n=len(gaps))
        if gaps.mean() < GAP[metric]:
            warnings.append(
                f"the target hardly tells the sides apart under {name}: no share of that gap is given"
            )
            continue
        found[f"denoising_{name}"] = ratio_of_sums(runs.denoised - runs.corrupt, gaps, seed)
        found[f"noising_{name}"] = ratio_of_sums(runs.clean - runs.noised, gaps, seed)
    pairs = {name: [duel.pair for duel in part] for name, part in told.items()}
    return Beside(found | off_manifold(context, pairs["image"], pairs), tuple(warnings))
