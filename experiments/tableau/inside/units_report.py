"""What is said about the units of a trained model beside untrained ones: per site, and over all.

Pure: selectivities in, report out. Two nulls: copies of which nothing was trained, and copies whose vision tower is the
trained one but whose connector and decoder never were. Random units behind trained eyes are already selective, so a
language unit is `learned` only when it exceeds both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from experiments.tableau.inside.activations import Site
from store.values import Estimate
from tools.scoring.intervals import bootstrap_mean
from tools.scoring.presence import Presence
from tools.scoring.selectivity import Selectivity, chance, exceeds, null

QUANTILES = (0.05, 0.25, 0.50, 0.75, 0.95)
GROUPS = ("vision", "language (visual)", "language (last)", "all")
"""Counted sites taken together; in `all`, a language unit counts once in each of its two scopes."""
EXAMPLES = 3


class Compared(NamedTuple):
    """Whether each unit's best phrase fits it better than the 95th percentile of a null for that phrase's class.

    `above`: trained units against untrained copies. `learned`: trained units against both nulls (the same as `above`
    in the vision tower). `chance`: control units by the rule of `learned`, each copy against the others.
    """

    above: Bool[np.ndarray, "unit"]
    learned: Bool[np.ndarray, "unit"]
    chance: Bool[np.ndarray, "control_unit"]


class Named(NamedTuple):
    """A unit with the phrase that fits it best, and how well on the half that did not choose."""

    address: str
    phrase: str
    of: str
    rho: float


@dataclass(frozen=True, eq=False)
class SiteReport:
    """One site; `counted` if an answer can depend on it.

    Quantiles (QUANTILES) are of the units' correlation with their best phrase, on the measuring half, and `best` counts
    the units by the class of that phrase, both for each kind of model; `classes` counts the learned units alone;
    `threshold` is the untrained 95th percentile of each class.
    """

    site: Site
    counted: bool
    quantiles: dict[str, tuple[float, ...]]
    best: dict[str, dict[str, int]]
    compared: Compared
    dead: int
    classes: dict[str, int]
    threshold: dict[str, float]
    examples: tuple[Named, ...]

    @property
    def group(self) -> str:
        tower = self.site.address.partition(".")[0]
        return tower if tower == "vision" else f"{tower} ({self.site.scope})"

    def as_json(self) -> dict[str, Any]:
        return {
            "site": self.site.address,
            "group": self.group,
            "counted": self.counted,
            "rho_quantiles": {name: _rounded(values) for name, values in self.quantiles.items()},
            **{
                name: bootstrap_mean(units).as_json("share")
                for name, units in self.compared._asdict().items()
            },
            "best_by_class": self.best,
            "dead": self.dead,
            "learned_by_class": self.classes,
            "threshold": {name: round(value, 4) for name, value in self.threshold.items()},
            "examples": [unit._asdict() | {"rho": round(unit.rho, 4)} for unit in self.examples],
        }


@dataclass(frozen=True)
class UnitsReport:
    """All sites, measured on so many pictures and questions beside so many untrained copies."""

    sites: tuple[SiteReport, ...]
    pictures: int
    questions: int
    copies: int

    def share(self, name: str) -> dict[str, Estimate]:
        """Share of `above`, `learned` or `chance` over the counted sites of every group; n units."""
        found = {}
        for group in GROUPS:
            members = [site for site in self.sites if site.counted and group in (site.group, "all")]
            found[group] = bootstrap_mean(np.concatenate([getattr(site.compared, name) for site in members]))
        return found

    def as_json(self) -> dict[str, Any]:
        shares = {
            name: {group: value.as_json("share") for group, value in self.share(name).items()}
            for name in Compared._fields
        }
        return {
            "pictures": self.pictures,
            "questions": self.questions,
            "untrained_copies": self.copies,
            "quantiles": list(QUANTILES),
            **shares,
            "sites": [site.as_json() for site in self.sites],
        }


def site_report(
    site: Site,
    trained: Selectivity,
    untrained: Sequence[Selectivity],
    seeing: Sequence[Selectivity],
    tested: Presence,
    *,
    counted: bool,
) -> SiteReport:
    """Compares one site; `seeing` are the copies behind trained eyes, and mean nothing in the vision tower."""
    threshold = null(untrained)
    above = exceeds(trained, threshold, tested)
    if site.address.startswith("vision"):
        compared = Compared(above, above, chance(untrained, tested))
        rhos = {"trained": [trained], "untrained": untrained}
    else:
        learned = above & exceeds(trained, null(seeing), tested)
        compared = Compared(above, learned, chance(seeing, tested, least=threshold))
        rhos = {"trained": [trained], "trained eyes alone": seeing, "untrained": untrained}
    labels = [tested.labels[index] for index in trained.label]
    first = np.argsort(-trained.rho * compared.learned)[: min(EXAMPLES, int(compared.learned.sum()))]
    return SiteReport(
        site=site,
        counted=counted,
        quantiles={name: _quantiles(copies) for name, copies in rhos.items()},
        best={name: _by_class(copies, tested) for name, copies in rhos.items()},
        compared=compared,
        dead=int(trained.dead.sum()),
        classes=dict(Counter(labels[unit].of for unit in np.flatnonzero(compared.learned))),
        threshold=dict(zip(tested.classes, map(float, threshold), strict=True)),
        examples=tuple(
            Named(f"{site.address}.{unit}", labels[unit].words, labels[unit].of, float(trained.rho[unit]))
            for unit in first
        ),
    )


def _by_class(copies: Sequence[Selectivity], tested: Presence) -> dict[str, int]:
    return dict(Counter(tested.labels[index].of for copy in copies for index in copy.label))


def _quantiles(copies: Sequence[Selectivity]) -> tuple[float, ...]:
    rho: Float[np.ndarray, "unit"] = np.concatenate([copy.rho for copy in copies])
    return tuple(map(float, np.quantile(rho, QUANTILES)))


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 4) for value in values]
