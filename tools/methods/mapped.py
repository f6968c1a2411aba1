"""Mapped answers: one answer's heat map beside shuffled ones, each with its scores.

Knows how a map is made, what it is compared with and where the concept lies, and how a word that names nothing is got
from the same picture; knows nothing about which pictures are meant, or how it is told (relevance.py). Not a tool.
"""

from __future__ import annotations

from dataclasses import replace
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


class Hollow(NamedTuple):
    """A word that names nothing, which the target says of the same picture, and its map by the same method."""

    word: str
    heat: Float[np.ndarray, "token"]


class Mapped(NamedTuple):
    """A subject with its map and the shuffled ones, each map's scores by name, what the map missed, and the map of a
    word that names nothing where one was wanted and said."""

    case: Case
    subject: Subject
    maps: list[Float[np.ndarray, "token"]]
    scores: dict[str, Float[np.ndarray, "map"]]
    whole: float
    missed: float
    hollow: Hollow | None = None


def mapped_case(
    context: ToolContext, case: Case, method: Method, empty: Tensor, description: str = ""
) -> Mapped:
    """The map of the case's answer; `empty` stands in the place of a token that is taken away.

    Where it is known where the concept lies, the first word of a description (asked for in the words `description`) is
    mapped too, if it names nothing: `func_iou` is the share of its map that is cold by the threshold of the answer's,
    and its control the share of the answer's own map (shuffled or not, the share is the same).
    Raises PlannerError where the picture's tokens do not lie in the grid.
    """
    from tools.relevance.faithful import faithful
    from tools.relevance.maps import heat_of
    from tools.relevance.scores import function_iou, object_iou, otsu, pointing
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
    hollow = _hollow(context, case, method, empty, description) if case.mask is not None else None
    if hollow is not None:
        threshold = otsu(heat.heat)
        scores["func_iou"] = np.array([function_iou(each, threshold) for each in (hollow.heat, *maps[1:])])
    return Mapped(case, one, maps, scores, worth[0].whole, heat.error or 0.0, hollow)


def _hollow(
    context: ToolContext, case: Case, method: Method, empty: Tensor, description: str
) -> Hollow | None:
    """None where no description is wanted, or the target's begins with a word that may name something."""
    from tools.relevance.function_words import names_nothing
    from tools.relevance.maps import heat_of
    from tools.relevance.subject import subject

    if not description:
        return None
    same = case.stimulus
    asked = replace(same, key=f"{same.key}#description", question=description, answer="", kind="")
    one = subject(context.engine, asked, empty)
    word = str(context.target.processor.tokenizer.decode([one.said])).strip()
    if not names_nothing(word) or len(one.visual) != len(case.grid.boxes):
        return None
    return Hollow(word, heat_of(context.engine, one, method, case.grid).heat)
