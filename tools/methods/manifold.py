"""How far from the data a run lies: distances of its residual stream from that of untouched pictures.

Two distances, layer by layer, over the tokens of the picture or of the words: how unusual the mean norm is, |z|
(activation norm z-score), and how far the mean vector lies from its nearest neighbors, in standard deviations of how
far untouched runs lie from theirs. Knows runs; knows nothing about how they were corrupted. Not a tool.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from store.address import Extent
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from tools.context import ToolContext
    from tools.engine.engine import Engine
    from tools.targets.batch import Batch, Space
    from tools.targets.sites import Site

NEIGHBORS = 5
REFERENCE = 16
"""Fewest untouched runs of a kind of question that make its reference."""
AT_ONCE = 32
"""Stimuli whose streams are in memory together."""
Means = Float[np.ndarray, "stimulus width"]
Scope = Literal["picture", "words"]
SCOPES: tuple[Scope, ...] = ("picture", "words")


class Spot(NamedTuple):
    """Where a run is looked at: the residual stream behind one layer, over the picture's tokens or the words'."""

    site: Site
    scope: Scope

    def __str__(self) -> str:
        return f"{self.site.tower}.{self.site.layer} {self.scope}"


class Trace(NamedTuple):
    """Runs at one spot: the mean norm of their tokens, and the tokens' mean vector."""

    norms: Float[np.ndarray, "stimulus"]
    means: Means


class Distances(NamedTuple):
    """Run by run at each spot: |z| of the mean norm (0.80 on average for what is like the reference) and the z of the
    distance to neighbors (0 on average)."""

    norm: Float[np.ndarray, "spot stimulus"]
    neighbors: Float[np.ndarray, "spot stimulus"]


def spots(extent: Extent) -> list[Spot]:
    """Behind every layer of every tower: the picture's tokens, and on the language side the words' too."""
    from tools.targets.sites import Site

    found = []
    for tower, layers in extent.towers.items():
        for layer in range(layers.layers):
            site = Site("resid_post", tower, layer)
            found += [Spot(site, scope) for scope in SCOPES[: 1 + (tower == "language")]]
    return found


def traces(engine: Engine, stimuli: Sequence[Stimulus], where: Sequence[Spot]) -> list[Trace]:
    """The runs of these stimuli, untouched, at each spot."""
    sites = tuple(dict.fromkeys(spot.site for spot in where))
    parts: list[list[Trace]] = [[] for _ in where]
    for start in range(0, len(stimuli), AT_ONCE):
        outcome = engine.plain(stimuli[start : start + AT_ONCE], sites)
        for place, spot in enumerate(where):
            stream = outcome.reads[spot.site].float().cpu().numpy().astype(np.float64)
            parts[place].append(_pooled(stream, _tokens(outcome.batch, spot)))
    return [
        Trace(np.concatenate([one.norms for one in part]), np.concatenate([one.means for one in part]))
        for part in parts
    ]


def apart(
    context: ToolContext, kind: str, n: int, runs: Mapping[str, Sequence[Stimulus]], where: Sequence[Spot]
) -> dict[str, Distances]:
    """How far runs of questions of one kind lie from at least `n` other questions of that kind about other pictures.

    Runs of no stimuli are left out.
    """
    asked = context.images.ask(
        kind, max(REFERENCE, n), 1000 + context.derived_seed("reference", kind) % 2**16
    )
    reference = traces(context.engine, asked, where)
    return {
        name: distances(reference, traces(context.engine, stimuli, where))
        for name, stimuli in runs.items()
        if stimuli
    }


def joined(parts: Sequence[Distances]) -> Distances:
    """The runs of all parts at the same spots."""
    return Distances(*(np.concatenate(column, axis=1) for column in zip(*parts, strict=True)))


def over(
    table: Float[np.ndarray, "spot stimulus"], where: Sequence[Spot], scope: Scope
) -> Float[np.ndarray, "stimulus"]:
    """The mean over the spots of one scope."""
    return np.asarray(table[[place for place, spot in enumerate(where) if spot.scope == scope]].mean(axis=0))


def distances(reference: Sequence[Trace], found: Sequence[Trace]) -> Distances:
    """How far runs lie from reference runs, which must be of other stimuli."""
    both = list(zip(reference, found, strict=True))
    return Distances(
        np.stack([norm_z(one.norms, other.norms) for one, other in both]),
        np.stack([neighbor_z(one.means, other.means) for one, other in both]),
    )


def norm_z(
    reference: Float[np.ndarray, "reference"], norms: Float[np.ndarray, "stimulus"]
) -> Float[np.ndarray, "stimulus"]:
    """|norm − mean| in standard deviations of the reference."""
    return np.abs(norms - reference.mean()) / max(float(reference.std(ddof=1)), 1e-12)


def neighbor_z(
    reference: Float[np.ndarray, "reference width"], means: Means
) -> Float[np.ndarray, "stimulus"]:
    """Mean distance to the NEIGHBORS nearest reference runs, against how far these lie from one another."""
    own = _nearest(reference, reference, skip=1)
    return (_nearest(reference, means) - own.mean()) / max(float(own.std(ddof=1)), 1e-12)


def _nearest(
    reference: Float[np.ndarray, "reference width"], means: Means, skip: int = 0
) -> Float[np.ndarray, "stimulus"]:
    apart = np.sqrt(np.maximum(((means[:, None] - reference[None]) ** 2).sum(axis=2), 0))
    return np.asarray(np.sort(apart, axis=1)[:, skip : skip + NEIGHBORS].mean(axis=1))


def _tokens(batch: Batch, spot: Spot) -> Bool[np.ndarray, "row position"]:
    if spot.scope == "picture":
        space: Space = "vision" if spot.site.tower == "vision" else "language"
        return batch.where(space, "visual").cpu().numpy()
    return (batch.where("language", "question") | batch.where("language", "answer")).cpu().numpy()


def _pooled(
    stream: Float[np.ndarray, "row position width"], tokens: Bool[np.ndarray, "row position"]
) -> Trace:
    counts = tokens.sum(axis=1)
    norms = (np.linalg.norm(stream, axis=2) * tokens).sum(axis=1) / counts
    return Trace(norms, (stream * tokens[..., None]).sum(axis=1) / counts[:, None])
