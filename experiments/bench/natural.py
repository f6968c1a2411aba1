"""Natural units: how much of what the best single phrase says of a component, the planner's words say.

Which phrase fits best is looked up, not planned: every phrase that may be said, under every reading, in the scorer's
own judgement of `select`; both it and the planner's words are then scored on `test`. It has what no planner has (the
scorer's judge, all pictures at once), but one phrase only, so that words can also exceed it. An abstention counts 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from experiments.bench.baselines import readings
from experiments.bench.found import Found
from experiments.bench.report import Shares
from experiments.scoring.classes import searched
from experiments.scoring.judged import Judged
from experiments.workplace import Workplace
from store.address import parse
from store.records import Reading
from tools.pools import side
from tools.scoring.correlation import correlations
from tools.scoring.intervals import bootstrap_median
from tools.stimuli import ImageSource


@dataclass(frozen=True, slots=True)
class Best:
    """The phrase and the reading of the highest correlation on select, and the correlation on test."""

    concept: str
    reading: Reading
    rho: float


class Split:
    """One split as the scorer judges it, and a component's values on it."""

    def __init__(self, workplace: Workplace, images: ImageSource) -> None:
        world = workplace.world
        self._activations = workplace.activations
        self._stimuli = [images.asked(number) for number in range(len(images))]
        self.phrases = searched(world)
        self.presence = Judged(
            world.scorer_judge, images, name=world.scorer_judge_name, folder=workplace.cache / "judged"
        ).columns(self.phrases)

    def correlations(self, component: str, reading: Reading) -> Float[np.ndarray, "phrase"] | None:
        """Of each phrase with the component; None where the reading has no tokens in some picture."""
        pooled = self._activations.pooled([parse(component)], self._stimuli)
        values = side(pooled, reading)[:, :1].astype(np.float64)
        return correlations(self.presence, values)[:, 0] if np.isfinite(values).all() else None


def measured_beside_best(workplace: Workplace, found: Sequence[Found]) -> Shares:
    """The planner's ρ on test beside that of the best phrase, and the median of their ratios, over all components."""
    components = [one.truth.component for one in found]
    workplace.prepare_test([parse(one) for one in components])
    world = workplace.world
    select, test = Split(workplace, world.select), Split(workplace, world.test)
    return beside_best(found, [best_on(select, test, component) for component in components])


def best_on(select: Split, test: Split, component: str) -> Best | None:
    """Chosen on select, scored on test; None where no reading has values on both."""
    fits: list[tuple[float, Best]] = []
    for reading in readings(parse(component)):
        seen, scored = (split.correlations(component, reading) for split in (select, test))
        if seen is not None and scored is not None:
            at = int(seen.argmax())
            fits.append((float(seen[at]), Best(select.phrases[at], reading, float(scored[at]))))
    return max(fits, key=lambda fit: fit[0], default=(0.0, None))[1]


def beside_best(found: Sequence[Found], best: Sequence[Best | None]) -> Shares:
    """The median of ρ(planner) / ρ(best phrase) with a bootstrap over components (null for a single one).

    Components whose best phrase does not hold on test (ρ at or below 0) have no ratio, and are counted as `left_out`;
    those of which nothing was said have 0. None where no component has a ratio.
    """
    ratios = [
        one.rho / phrase.rho if phrase and phrase.rho > 0 else None
        for one, phrase in zip(found, best, strict=True)
    ]
    known = [ratio for ratio in ratios if ratio is not None]
    if not known:
        return None
    return {
        **median_ratio(known),
        "left_out": len(ratios) - len(known),
        "units": [
            {
                "component": one.truth.component,
                "said": one.description.concept or None,
                "rho": one.rho,
                "best": phrase.concept if phrase else None,
                "best_reading": str(phrase.reading) if phrase else None,
                "best_rho": phrase.rho if phrase else None,
                "ratio": ratio,
            }
            for one, phrase, ratio in zip(found, best, ratios, strict=True)
        ],
    }


def median_ratio(ratios: Sequence[float]) -> dict[str, object]:
    """The median with its interval and n."""
    interval = bootstrap_median(ratios) if len(ratios) > 1 else None
    return {
        "median": float(np.median(ratios)),
        "ci": [interval.low, interval.high] if interval else None,
        "n": len(ratios),
    }
