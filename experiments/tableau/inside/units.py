"""Units that stand for something: a trained model beside untrained copies, site by site.

Composes stimuli, activations and selectivity into a report; see selectivity.py for what is compared and why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from transformers import LlavaForConditionalGeneration

from experiments.tableau.balanced import Item
from experiments.tableau.inside.activations import Activations, Site, units_at_answer, units_on_pictures
from experiments.tableau.inside.presence import Presence, asked_in, presence, true_of
from experiments.tableau.inside.selectivity import (
    Selectivity,
    exceeds,
    null,
    selectivity,
    split,
    untrained_exceed,
)
from experiments.tableau.inside.stimuli import asked, batches, scenes_of
from experiments.tableau.models import FEATURE_LAYER, new_llava
from experiments.tableau.sampler import sample
from experiments.tableau.scene import Scene
from store.values import Estimate
from tools.scoring.intervals import bootstrap_mean

STREAM = 11
"""The sampler's stream of these pictures: a world that no model was trained on."""
QUANTILES = (0.05, 0.25, 0.50, 0.75, 0.95)
GROUPS = ("vision", "language (visual)", "language (last)", "all")
"""Counted sites taken together; in `all`, a language unit counts once in each of its two scopes."""
Say = Callable[[str], None]


class Named(NamedTuple):
    """A unit with the phrase that fits it best, and how well on the half that did not choose."""

    address: str
    phrase: str
    of: str
    rho: float


@dataclass(frozen=True, eq=False)
class SiteReport:
    """One site; `counted` if it can reach the answer.

    Quantiles (QUANTILES) are of the units' correlation with their best phrase, on the measuring half. `above` marks
    the trained units that exceed the untrained 95th percentile of their phrase's class, `chance` the untrained units
    that do; `best` counts the trained units above by the class of their phrase.
    """

    site: Site
    counted: bool
    trained: tuple[float, ...]
    untrained: tuple[float, ...]
    above: Bool[np.ndarray, "unit"]
    chance: Bool[np.ndarray, "unit"]
    dead: int
    best: dict[str, int]
    threshold: dict[str, float]
    examples: tuple[Named, ...]

    @property
    def group(self) -> str:
        tower = self.site.address.partition(".")[0]
        return tower if tower == "vision" else f"{tower} ({self.site.scope})"

    def as_json(self) -> dict[str, Any]:
        return {
            "site": self.site.address,
            "scope": self.site.scope,
            "counted": self.counted,
            "rho_quantiles": {"trained": _rounded(self.trained), "untrained": _rounded(self.untrained)},
            "above": bootstrap_mean(self.above).as_json("share"),
            "untrained_above": bootstrap_mean(self.chance).as_json("share"),
            "dead": self.dead,
            "above_by_class": self.best,
            "threshold": {name: round(value, 4) for name, value in self.threshold.items()},
            "examples": [unit._asdict() | {"rho": round(unit.rho, 4)} for unit in self.examples],
        }


@dataclass(frozen=True)
class UnitsReport:
    """All sites, and the share over the counted sites of each group and of `all`; n pictures and n questions."""

    sites: tuple[SiteReport, ...]
    share: dict[str, Estimate]
    control: dict[str, Estimate]
    pictures: int
    questions: int
    untrained_copies: int

    def as_json(self) -> dict[str, Any]:
        return {
            "pictures": self.pictures,
            "questions": self.questions,
            "untrained_copies": self.untrained_copies,
            "quantiles": list(QUANTILES),
            "above": {name: value.as_json("share") for name, value in self.share.items()},
            "untrained_above": {name: value.as_json("share") for name, value in self.control.items()},
            "sites": [site.as_json() for site in self.sites],
        }


def units(
    trained: LlavaForConditionalGeneration,
    seeds: Sequence[int],
    items: Sequence[Item],
    *,
    pictures: int = 1500,
    seed: int = 0,
    say: Say = lambda _: None,
) -> UnitsReport:
    """Measures every site of the trained model, and of untrained copies with these seeds, on the same stimuli.

    Pictures are drawn here; `items` are questions about other pictures.
    """
    scenes = [sample(index, "balanced", stream=STREAM) for index in range(pictures)]
    shown = scenes_of(items)
    facts = {
        "visual": presence([true_of(scene) for scene in scenes]),
        "last": presence([true_of(scene) | asked_in(item) for scene, item in zip(shown, items, strict=True)]),
    }
    halves = {"visual": split(range(pictures), seed), "last": split(shown, seed)}
    tested = {scope: facts[scope].supported(halves[scope]) for scope in facts}

    def measured(model: LlavaForConditionalGeneration) -> dict[Site, Selectivity]:
        found = record(model, scenes, items)
        return {site: selectivity(v, tested[site.scope], halves[site.scope]) for site, v in found.items()}

    say("units of the trained model")
    ours = measured(trained)
    copies = []
    for number, copy in enumerate(seeds):
        say(f"units of untrained copy {number + 1} of {len(seeds)}")
        copies.append(measured(untrained(copy, trained)))
    sites = tuple(
        _site_report(
            site,
            ours[site],
            [copy[site] for copy in copies],
            tested[site.scope],
            counted=reaches_answer(site, trained),
        )
        for site in ours
    )
    shares = {
        group: [site for site in sites if site.counted and group in (site.group, "all")] for group in GROUPS
    }
    return UnitsReport(
        sites,
        {
            group: bootstrap_mean(np.concatenate([s.above for s in members]))
            for group, members in shares.items()
        },
        {
            group: bootstrap_mean(np.concatenate([s.chance for s in members]))
            for group, members in shares.items()
        },
        pictures,
        len(items),
        len(copies),
    )


def record(
    model: LlavaForConditionalGeneration, scenes: Sequence[Scene], items: Sequence[Item]
) -> dict[Site, Activations]:
    """Activations at all sites: pictures for the visual scope, questions about other pictures for the last position."""
    device: torch.device = model.device
    pictures = units_on_pictures(model, batches(scenes, None, device))
    return pictures | units_at_answer(model, asked(items, device))


def untrained(seed: int, like: LlavaForConditionalGeneration) -> LlavaForConditionalGeneration:
    """An untrained copy, on the device of the trained model."""
    copy = new_llava(seed).eval()
    copy.to(like.device)
    return copy


def reaches_answer(site: Site, model: LlavaForConditionalGeneration) -> bool:
    """False for vision layers behind the one that is read, and for the last decoder layer at visual tokens."""
    tower, layer, _ = site.address.split(".")
    if tower == "vision":
        return int(layer) <= len(model.model.vision_tower.encoder.layers) + FEATURE_LAYER
    return site.scope == "last" or int(layer) < len(model.model.language_model.layers) - 1


def _site_report(
    site: Site, ours: Selectivity, copies: Sequence[Selectivity], tested: Presence, *, counted: bool
) -> SiteReport:
    threshold = null(copies)
    above = exceeds(ours, threshold, tested)
    labels = [tested.labels[index] for index in ours.label]
    first = np.argsort(-ours.rho * above)[: min(3, int(above.sum()))]
    return SiteReport(
        site=site,
        counted=counted,
        trained=_quantiles(ours.rho),
        untrained=_quantiles(np.concatenate([copy.rho for copy in copies])),
        above=above,
        chance=untrained_exceed(copies, tested),
        dead=int(ours.dead.sum()),
        best=dict(Counter(labels[unit].of for unit in np.flatnonzero(above))),
        threshold=dict(zip(tested.classes, map(float, threshold), strict=True)),
        examples=tuple(
            Named(f"{site.address}.{unit}", labels[unit].words, labels[unit].of, float(ours.rho[unit]))
            for unit in first
        ),
    )


def _quantiles(values: Float[np.ndarray, "unit"]) -> tuple[float, ...]:
    return tuple(map(float, np.quantile(values, QUANTILES)))


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 4) for value in values]
