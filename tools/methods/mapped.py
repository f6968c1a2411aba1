"""Mapped answers: one answer's heat map beside shuffled ones, each with its scores.

Knows how a map is made, what it is compared with and where the concept lies; knows nothing about which pictures are
meant, or how it is told (relevance.py). Not a tool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from store.errors import PlannerError
from tools.context import ToolContext
from tools.methods.attention import spearman
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from torch import Tensor

    from tools.relevance.subject import Subject
    from tools.targets.adapter import Grid

Method = Literal["attention", "relevancy", "tam", "gradients", "occlusion"]
SHUFFLES = 2
"""Maps with the same values in random places, for each map."""


class Case(NamedTuple):
    """A stimulus, how its tokens lie, and which of them lie on what it is asked about, if that is known."""

    stimulus: Stimulus
    grid: Grid
    mask: Bool[np.ndarray, "token"] | None


class Mapped(NamedTuple):
    """A subject with its map and the shuffled ones, each map's scores by name, and what the map missed."""

    case: Case
    subject: Subject
    maps: list[Float[np.ndarray, "token"]]
    scores: dict[str, Float[np.ndarray, "map"]]
    whole: float
    missed: float


def mapped_case(context: ToolContext, case: Case, method: Method, empty: Tensor) -> Mapped:
    """The map of the case's answer; `empty` stands in the place of a token that is taken away.

    Raises PlannerError where the picture's tokens do not lie in the grid.
    """
    from tools.relevance.faithful import faithful
    from tools.relevance.maps import heat_of
    from tools.relevance.scores import object_iou, pointing
    from tools.relevance.subject import subject

    one = subject(context.engine, case.stimulus, empty)
    tokens = case.grid.rows * case.grid.columns
    if len(one.visual) != tokens:
        raise PlannerError(
            f"`{case.stimulus.key}` has {len(one.visual)} picture tokens, which do not lie in {case.grid.rows} × "
            f"{case.grid.columns}",
            kind="scope",
            hint="ask about pictures of another shape, or use `attention`",
        )
    heat = heat_of(context.engine, one, method, case.grid)
    random = context.random("shuffled map", case.stimulus.sha256)
    maps = [heat.heat, *(random.permutation(heat.heat) for _ in range(SHUFFLES))]
    worth = faithful(context.engine, one, maps)
    scores = {
        "saco": np.array([found.saco for found in worth]),
        "correlation": np.array([spearman(found.salience, found.effects) for found in worth]),
        "deletion": np.array([found.deletion for found in worth]),
        "insertion": np.array([found.insertion for found in worth]),
    }
    if case.mask is not None:
        scores["pointing"] = np.array([pointing(each, case.mask) for each in maps])
        scores["obj_iou"] = np.array([object_iou(each, case.mask) for each in maps])
    return Mapped(case, one, maps, scores, worth[0].whole, heat.error or 0.0)
