"""`relevance`: heat maps of the target's answers over their pictures, and whether they tell the truth.

Knows which pictures are meant, and how maps are shown and compared with shuffled ones; the maps and their scores are
tools/relevance/.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from jaxtyping import Float
from pydantic import Field

from store.errors import PlannerError
from store.records import Model, Quantity
from tools.context import ToolContext
from tools.methods.answers import reference_mean, refuse_wordless
from tools.methods.duels import asks_for_it
from tools.methods.mapped import Case, Mapped, Method, mapped_case
from tools.methods.pairing import pairs_for
from tools.methods.showing import Named, chosen, keep
from tools.methods.streams import refuse_crossed
from tools.pictures import overlay, sheet
from tools.scoring.intervals import bootstrap_mean
from tools.stimuli import Stimulus
from tools.tool import Arguments, Result, tool

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from tools.targets.adapter import Grid

SHOWN = 4
UNITS = {
    "saco": "SaCo",
    "correlation": "rank correlation",
    "deletion": "mean probability",
    "insertion": "mean probability",
    "pointing": "share of pictures",
    "obj_iou": "IoU",
}
LOST = 0.02
"""What integrated gradients may miss of the difference before a warning says so."""


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


class MappedAnswer(Model):
    """One picture with its map: `image`, `overlay` and `control` (the same values in random places) are artifacts."""

    key: str
    question: str
    said: str
    rival: str
    saco: float
    control_saco: float
    image: str
    overlay: str
    control: str


class Relevance(Result):
    """`maps` are the first few pictures; the artifact `sheet` shows them: picture, map, control."""

    method: str
    maps: tuple[MappedAnswer, ...]


@tool
def relevance(context: ToolContext, arguments: RelevanceArguments) -> Relevance:
    """Heat maps: which picture tokens each answer hangs on, by one method, and whether the map tells the truth.

    Tokens are taken away in ten groups, hottest first: `saco` (from −1 to 1; 0: the map orders nothing) says whether
    hotter groups cost the answer's lead more, `correlation` the same by ranks; `deletion` (lower is better) and
    `insertion` (higher is better) are areas under the answer's probability while tokens go or come. With a `concept`:
    `pointing` (does the hottest token lie on it?) and `obj_iou` (overlap above Otsu's threshold). `whole` is what the
    lead loses without any of the picture. Controls are maps with the same values in random places.
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
    empty = _empty(context, arguments.empty)
    mapped = [mapped_case(context, case, arguments.method, empty) for case in cases]
    seed = context.derived_seed("relevance", arguments.method)
    quantities = {
        name: _quantity([one.scores[name] for one in mapped], unit, seed)
        for name, unit in UNITS.items()
        if all(name in one.scores for one in mapped)
    }
    whole = bootstrap_mean([one.whole for one in mapped], seed=seed)
    quantities["whole"] = Quantity(
        value=whole.value, unit="logits of the answer's lead", ci=(whole.low, whole.high), n=whole.n
    )
    warnings += _warnings(arguments.method, mapped, quantities)
    panels = [_panels(one) for one in mapped[:SHOWN]]
    return Relevance(
        method=arguments.method,
        maps=tuple(_shown(context, one, drawn) for one, drawn in zip(mapped, panels, strict=False)),
        quantities=quantities,
        artifacts={"sheet": keep(context, sheet(list(chain(*panels)), columns=3))},
        warnings=tuple(warnings),
        summary=_summary(arguments.method, quantities),
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


def _quantity(values: Sequence[Float[np.ndarray, "map"]], unit: str, seed: int) -> Quantity:
    """The mean over pictures beside that of the shuffled maps."""
    table = np.array(values)
    own, control = (bootstrap_mean(part, seed=seed) for part in (table[:, 0], table[:, 1:].mean(axis=1)))
    return Quantity(
        value=own.value,
        unit=unit,
        ci=(own.low, own.high),
        n=own.n,
        control=control.value,
        control_ci=(control.low, control.high),
    )


def _warnings(method: Method, mapped: Sequence[Mapped], quantities: dict[str, Quantity]) -> list[str]:
    told = []
    saco, whole = quantities["saco"], quantities["whole"]
    assert saco.ci is not None and saco.control_ci is not None and whole.ci is not None
    if saco.ci[0] <= saco.control_ci[1]:
        told.append(
            f"`{method}` orders tokens by what they cost no better than chance, surely: don't explain by it"
        )
    if whole.ci[0] <= 0:
        told.append("the answers do not surely hang on the picture")
    if missed := sum(one.missed > LOST for one in mapped):
        told.append(f"integrated gradients miss more than {LOST:.0%} of the difference in {missed} pictures")
    return told


def _shown(context: ToolContext, one: Mapped, panels: Sequence[Image]) -> MappedAnswer:
    word = context.target.processor.tokenizer.decode
    picture, warm, control = (keep(context, panel) for panel in panels)
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
    )


def _panels(one: Mapped) -> list[Image]:
    """The picture, the map on it, and a shuffled map on the same scale."""
    image, grid = one.case.stimulus.image, one.case.grid
    heat = [each.reshape(grid.rows, grid.columns) for each in one.maps[:2]]
    scale = float(heat[0].max())
    plain = overlay(image, np.ones_like(heat[0]), 1.0)
    return [plain, *(overlay(image, each, scale) for each in heat)]


def _summary(method: Method, quantities: dict[str, Quantity]) -> str:
    def told(name: str) -> str:
        one = quantities[name]
        assert one.ci is not None
        return f"{name} {one.value:.2f} [{one.ci[0]:.2f}, {one.ci[1]:.2f}] (shuffled {one.control:.2f})"

    return (
        f"`{method}` maps of {quantities['saco'].n} answers: "
        + ", ".join(told(name) for name in UNITS if name in quantities)
        + f". Without the picture the lead falls by {quantities['whole'].value:.2f} logits."
    )[:400]
