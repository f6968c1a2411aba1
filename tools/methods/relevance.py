"""`relevance`: heat maps of the target's answers over their pictures, and whether they tell the truth.

Knows which pictures are meant, and how maps are shown and compared with shuffled ones; the maps and their scores are
tools/relevance/.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from store.errors import PlannerError
from store.records import Model
from tools.context import ToolContext
from tools.methods.answers import reference_mean, refuse_wordless
from tools.methods.duels import asks_for_it
from tools.methods.heat_scores import FEWEST, distrusted, quantities_of, summary_of
from tools.methods.mapped import Case, Mapped, Method, mapped_case
from tools.methods.opened import switched
from tools.methods.pairing import pairs_for
from tools.methods.showing import Named, chosen, keep
from tools.methods.streams import refuse_crossed
from tools.pictures import overlay, sheet
from tools.stimuli import Stimulus
from tools.tool import Arguments, Result, tool

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from tools.targets.adapter import Grid

SHOWN = 4
READ: tuple[Method, ...] = ("attention", "relevancy")
"""Methods that read attention."""


class RelevanceArguments(Arguments):
    images: Annotated[
        tuple[Named, ...],
        Field(
            max_length=48,
            description="Pictures, each with its own question; random ones where none is named.",
        ),
    ] = ()
    method: Annotated[
        Method,
        Field(
            description="`occlusion` is exact; `gradients` (integrated), `relevancy` (Chefer), `tam`, raw `attention`."
        ),
    ] = "relevancy"
    concept: Annotated[
        str,
        Field(
            max_length=200,
            description="A phrase: maps then are of pictures of it, asked about it, and compared with where it is.",
        ),
    ] = ""
    empty: Annotated[
        Literal["mean", "zero"],
        Field(description="What stands in the place of a token that is taken away: the mean token, or zero."),
    ] = "mean"
    n: Annotated[int, Field(ge=4, le=48, description="Pictures, where none is named.")] = 12
    description: Annotated[
        str,
        Field(
            max_length=200,
            description="With a `concept`: words that ask for a description; its first word should name nothing.",
        ),
    ] = "describe the picture ."


class MappedAnswer(Model):
    """One picture with its map: `image`, `overlay` and `control` (the same values in random places) are artifacts.

    `hollow` is the map of `hollow_word`, which names nothing, on the scale of the answer's map; empty where there is
    none.
    """

    key: str
    question: str
    said: str
    rival: str
    saco: float
    control_saco: float
    image: str
    overlay: str
    control: str
    hollow_word: str = ""
    hollow: str = ""


class Relevance(Result):
    """`maps` are the first few pictures; the artifact `sheet` shows them: picture, map, control, and the map of a word
    that names nothing where there is one."""

    method: str
    maps: tuple[MappedAnswer, ...]


@tool
def relevance(context: ToolContext, arguments: RelevanceArguments) -> Relevance:
    """Heat maps: which picture tokens each answer hangs on, by one method, and whether the map tells the truth.

    Tokens are taken away in ten groups, hottest first: `saco` (from −1 to 1; 0: the map orders nothing) says whether
    hotter groups cost the answer's lead more, `correlation` the same by ranks; `deletion` (lower is better) and
    `insertion` (higher is better) are areas under the answer's probability while tokens go or come. With a `concept`:
    `pointing` (does the hottest token lie on it?) and `obj_iou` (overlap above Otsu's threshold); `func_iou` is the
    share of the map of a word that names nothing (`a`, the first of a description) that is cold by that threshold, and
    `f1_iou` joins both. `whole` is what the lead loses without any of the picture. Controls are maps with the same
    values in random places; of `func_iou` the answer's own map.
    """
    refuse_wordless(context)
    refuse_crossed(context)
    if arguments.images and arguments.concept:
        raise PlannerError(
            "`images` and `concept` are both given",
            kind="arguments",
            hint="name pictures, or a concept to find them",
        )
    warnings: list[str] = []
    cases = _cases(context, arguments, warnings)
    if len(cases) < FEWEST:
        raise PlannerError(
            f"scores of maps need at least {FEWEST} pictures, and there are {len(cases)}",
            kind="images",
            hint="name more, or none for random ones",
        )
    empty = _empty(context, arguments.empty)
    mapped = [
        mapped_case(
            context, case, arguments.method, empty, arguments.description if arguments.concept else ""
        )
        for case in cases
    ]
    seed = context.derived_seed("relevance", arguments.method)
    quantities = quantities_of(mapped, seed)
    warnings += distrusted(arguments.method, mapped, quantities)
    if arguments.concept and arguments.description and (silent := sum(one.hollow is None for one in mapped)):
        warnings.append(
            f"in {silent} of {len(mapped)} pictures no description begins with a word that names nothing (or it is not "
            "known where the concept lies): `func_iou` leaves them out"
        )
    hollow = any(one.hollow for one in mapped[:SHOWN])
    if arguments.method in READ:
        warnings += switched(context, "language")
    panels = [_panels(one, hollow) for one in mapped[:SHOWN]]
    return Relevance(
        method=arguments.method,
        maps=tuple(_shown(context, one, drawn) for one, drawn in zip(mapped, panels, strict=False)),
        quantities=quantities,
        artifacts={"sheet": keep(context, sheet(list(chain(*panels)), columns=len(panels[0])))},
        warnings=tuple(warnings),
        summary=summary_of(arguments.method, quantities),
    )


def _cases(context: ToolContext, arguments: RelevanceArguments, warnings: list[str]) -> list[Case]:
    from tools.relevance.masks import covered

    def grid(stimulus: Stimulus) -> Grid:
        return context.adapter.boxes(*stimulus.image.size)

    if not arguments.concept:
        if arguments.images:
            stimuli = chosen(context, arguments.images)
        else:
            order = context.random("relevance").permutation(len(context.images))[: arguments.n]
            stimuli = [context.images.asked(int(number)) for number in order]
        return [Case(stimulus, grid(stimulus), None) for stimulus in stimuli]
    made = pairs_for(context, arguments.concept, "swap", arguments.n, wanted=asks_for_it)
    found = []
    for pair in made.pairs:
        lies = grid(pair.with_)
        mask = covered(pair.region, lies) if pair.region is not None else None
        found.append(Case(pair.with_, lies, mask if mask is not None and mask.any() else None))
    if blind := sum(case.mask is None for case in found):
        warnings.append(
            f"{blind} of {len(found)} pairs don't say where they differ: maps are not compared with it"
        )
    return found


def _empty(context: ToolContext, kind: str) -> Tensor:
    from tools.relevance.subject import mean_token
    from tools.targets.sites import EMBED

    found = mean_token(reference_mean(context, EMBED))
    return found if kind == "mean" else found * 0


def _shown(context: ToolContext, one: Mapped, panels: Sequence[Image]) -> MappedAnswer:
    word = context.target.processor.tokenizer.decode
    picture, warm, control = (keep(context, panel) for panel in panels[:3])
    return MappedAnswer(
        key=one.case.stimulus.key,
        question=one.case.stimulus.question,
        said=str(word([one.subject.said])).strip(),
        rival=str(word([one.subject.rival])).strip(),
        saco=float(one.scores["saco"][0]),
        control_saco=float(one.scores["saco"][1:].mean()),
        image=picture,
        overlay=warm,
        control=control,
        hollow_word=one.hollow.word if one.hollow else "",
        hollow=keep(context, panels[3]) if one.hollow else "",
    )


def _panels(one: Mapped, hollow: bool) -> list[Image]:
    """The picture, the map on it, a shuffled map on the same scale, and with `hollow` that of a word that names nothing
    (the bare picture where there is none)."""
    image, grid = one.case.stimulus.image, one.case.grid
    heat = [each.reshape(grid.rows, grid.columns) for each in one.maps[:2]]
    if one.hollow:
        heat.append(one.hollow.heat.reshape(grid.rows, grid.columns))
    scale = float(heat[0].max())
    plain = overlay(image, np.ones_like(heat[0]), 1.0)
    found = [plain, *(overlay(image, each, scale) for each in heat)]
    return found + [plain] * (hollow and not one.hollow)
