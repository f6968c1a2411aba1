"""What heads attend to in a picture, and the role that this and the sign of their effect give them.

Roles after NOTICE (Golovanevsky et al. 2024): *detection* attends to what is asked about and helps the right answer,
*inhibition* attends to other things, or to what is asked about and works against the right answer, *outlier* attends to
empty ground or to patches of unusually large norm. A role is a name for two measured facts, no proof of a mechanism.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from experiments.reproduce.effects import interval, resamples
from experiments.tableau.parse import parse
from experiments.tableau.phrases import find
from experiments.tableau.questions import Question, Unanswerable, holds
from experiments.tableau.recall import recall
from experiments.tableau.render import masks
from experiments.tableau.scene import Scene
from store.address import Address
from store.values import Estimate
from tools.methods.token_sets import COVERED, cover, registers
from tools.stimuli import Stimulus
from tools.targets.adapter import Grid

if TYPE_CHECKING:
    from tools.context import ToolContext
    from tools.targets.batch import Space

Role = Literal["detection", "inhibition", "outlier", "none"]
REGIONS = ("asked", "others", "ground", "outliers")
"""What is asked about, other things, the rest; and across these, patches of large norm."""
AT_ONCE = 8

Regions = Bool[np.ndarray, "region patch"]


class Looking(NamedTuple):
    """Item by item: attention that goes to each region, and what attention to no patch in particular would send
    there; both as shares of the attention that goes to the picture."""

    seen: Float[np.ndarray, "head item region"]
    even: Float[np.ndarray, "head item region"]


def role(effect: float, looks: Mapping[str, Estimate]) -> Role:
    """The role of a head with this effect. `looks` says by region how many times more attention than even it gets; the
    region with the most counts, where it surely gets more than even."""
    most = max(looks, key=lambda region: looks[region].value)
    if looks[most].low <= 1:
        return "none"
    if most in ("ground", "outliers"):
        return "outlier"
    return "detection" if most == "asked" and effect > 0 else "inhibition"


def enrichments(looking: Looking, seed: int) -> list[dict[str, Estimate]]:
    """For each head, by region: attention over even attention, a ratio of sums resampled over items. Regions that no
    item has are left out."""
    n = looking.seen.shape[1]
    weights = resamples(n, seed)
    found = []
    for seen, even in zip(looking.seen, looking.even, strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn = (weights @ seen) / (weights @ even)
        found.append(
            {
                region: interval(drawn[:, place], float(seen[:, place].sum() / even[:, place].sum()), n)
                for place, region in enumerate(REGIONS)
                if even[:, place].sum() > 0
            }
        )
    return found


def looking(context: ToolContext, stimuli: Sequence[Stimulus], heads: Sequence[Address]) -> Looking:
    """Language heads look from the words and the answer's position, vision heads from every patch."""
    parts = [
        _looking(context, stimuli[start : start + AT_ONCE], heads)
        for start in range(0, len(stimuli), AT_ONCE)
    ]
    return joined(parts)


def joined(parts: Iterable[Looking]) -> Looking:
    """The same heads on several sets of items."""
    every = list(parts)
    return Looking(
        np.concatenate([one.seen for one in every], axis=1),
        np.concatenate([one.even for one in every], axis=1),
    )


def _looking(context: ToolContext, stimuli: Sequence[Stimulus], heads: Sequence[Address]) -> Looking:
    from tools.targets.sites import Site

    layers = list(dict.fromkeys((head.tower, head.layer) for head in heads))
    sites = {layer: (Site("attn.pattern", *layer), Site("resid_pre", *layer)) for layer in layers}
    outcome = context.engine.plain(stimuli, tuple(site for both in sites.values() for site in both))
    words = (
        (outcome.batch.where("language", "question") | outcome.batch.where("language", "answer"))
        .cpu()
        .numpy()
    )
    seen = np.zeros((len(heads), len(stimuli), len(REGIONS)))
    even = np.zeros_like(seen)
    for number, stimulus in enumerate(stimuli):
        places = regions(stimulus, context.adapter.boxes(*stimulus.image.size))
        for layer, (pattern, stream) in sites.items():
            space: Space = "vision" if layer[0] == "vision" else "language"
            patches = outcome.batch.where(space, "visual")[number].cpu().numpy()
            queries = patches if layer[0] == "vision" else words[number]
            weights = outcome.reads[pattern][number].float().cpu().numpy()[:, queries][:, :, patches]
            norms = np.linalg.norm(outcome.reads[stream][number].float().cpu().numpy()[patches], axis=1)
            large = registers(norms)
            shares = _shares(weights.mean(axis=1), np.vstack([places, large]))
            for place, head in enumerate(heads):
                if (head.tower, head.layer) == layer:
                    seen[place, number] = shares.seen[head.index]
                    even[place, number] = shares.even
    return Looking(seen, even)


class _Shares(NamedTuple):
    seen: Float[np.ndarray, "head region"]
    even: Float[np.ndarray, "region"]


def _shares(attention: Float[np.ndarray, "head patch"], places: Regions) -> _Shares:
    total = np.maximum(attention.sum(axis=1, keepdims=True), 1e-12)
    return _Shares(attention @ places.T / total, places.mean(axis=1))


def regions(stimulus: Stimulus, grid: Grid) -> Regions:
    """The patches of what a painted picture's question is about, of other things, and the rest. Where it asks for the
    background, that is what is asked about."""
    seen, question = recall(stimulus.key).scene, parse(stimulus.question)
    drawn = masks(seen)
    covered = np.stack([cover(mask, grid) for mask in drawn]) >= COVERED if len(drawn) else None
    ground = np.ones(len(grid.boxes), dtype=bool) if covered is None else ~covered.any(axis=0)
    nothing = np.zeros_like(ground)
    things = nothing if covered is None else covered.any(axis=0)
    if question is not None and question.kind == "background":
        return np.stack([ground, things, nothing])
    meant = list(_meant(question, seen)) if question is not None else []
    asked = covered[meant].any(axis=0) if covered is not None and meant else nothing
    return np.stack([asked, things & ~asked, ground])


def _meant(question: Question, seen: Scene) -> Iterator[int]:
    """The things that the words name, and those that stand in the relation that is asked for."""
    named = find(question.phrase, seen)
    yield from named
    if question.other is not None:
        yield from find(question.other, seen)
    elif question.relation is not None and len(named) == 1:
        for index, thing in enumerate(seen.things):
            try:
                if index != named[0] and holds(question.relation, thing, seen.things[named[0]]):
                    yield index
            except Unanswerable:
                continue
