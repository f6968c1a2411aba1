"""`explain_answer`: which picture tokens and which components one answer hangs on.

Everything is exchanged for what it is before other pictures with the same question, at which the target says something
else; gradients rank (Nanda 2023), exchanges verify, and random tokens and components are exchanged alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
from jaxtyping import Float
from pydantic import Field

from store.address import Address
from store.errors import PlannerError
from store.records import Interval, Model, Quantity
from tools.context import ToolContext
from tools.methods.answers import refuse_wordless
from tools.methods.carriers import LEVEL
from tools.methods.contrasts import paired_p
from tools.methods.exchanges import Exchanged, Part, exchanged, guessed
from tools.methods.showing import Named, chosen, keep
from tools.methods.values import others
from tools.pictures import overlay
from tools.scoring.correction import benjamini_hochberg
from tools.scoring.intervals import bootstrap_mean
from tools.stimuli import Stimulus
from tools.tool import Arguments, Result, tool

if TYPE_CHECKING:
    from torch import Tensor

    from tools.targets.adapter import Grid

TRIED = 8
"""Pictures that are tried for each donor that is wanted."""
FEWEST = 4
"""Donors without which nothing is said."""
RANDOM = 6
"""Random components, and random sets of tokens, that are exchanged as controls."""


class ExplainAnswerArguments(Arguments):
    image: Named
    question: Annotated[
        str, Field(min_length=1, max_length=300, description="What is asked about the picture.")
    ]
    k: Annotated[int, Field(ge=1, le=24, description="Components that are verified.")] = 6
    tokens: Annotated[int, Field(ge=1, le=64, description="Picture tokens that are exchanged together.")] = 12
    donors: Annotated[int, Field(ge=FEWEST, le=32, description="Other pictures.")] = 12


class AnswerPart(Model):
    """A component, or a set of picture tokens. `drop` is what the answer's lead loses without it, in logits, over
    donors; `control` the same of random ones. It `stood` where that differs from both surely."""

    part: str
    guess: float
    drop: float
    ci: Interval
    control: float
    stood: bool


class ExplainedAnswer(Result):
    """`said` leads `rival`, the next best word, by `margin` logits. The artifact `map` is where the answer comes from
    in the picture, as gradients guess it."""

    question: str
    said: str
    rival: str
    parts: tuple[AnswerPart, ...]


class Case(NamedTuple):
    """The stimulus, the words between which it was decided, how far apart they are, and the pictures that give."""

    stimulus: Stimulus
    said: int
    rival: int
    margin: float
    donors: list[Stimulus]


@tool
def explain_answer(context: ToolContext, arguments: ExplainAnswerArguments) -> ExplainedAnswer:
    """Which picture tokens and components make the target's answer to one question about one picture.

    `margin`: the answer's lead over the next best word, in logits. `drop P` for each part: how much of it is lost when
    the part is exchanged for what it is before other pictures with the same question, over those pictures, beside
    random parts of the same size. Parts are the components that gradients rank first, and the hottest picture tokens
    together. One picture: says nothing of others.
    """
    refuse_wordless(context)
    case = _case(context, arguments)
    components = [one for one in context.extent.all() if context.adapter.reaches(one, "all") is None]
    guess = guessed(context, case.stimulus, case.donors, (case.said, case.rival), components)
    best = np.argsort(-guess.components, kind="stable")[: arguments.k].tolist()
    hottest = np.argsort(-guess.tokens, kind="stable")[: arguments.tokens].tolist()
    name = f"the {len(hottest)} hottest picture tokens"
    parts = [
        Part(name, tokens=tuple(guess.visual[place] for place in hottest)),
        *(Part(str(components[place]), component=components[place]) for place in best),
    ]
    controls = _controls(context, [components[place] for place in best], guess.visual, hottest)
    both = [*controls.tokens, *controls.components]
    found = exchanged(context, case.stimulus, case.donors, (case.said, case.rival), [*parts, *both])
    n = len(controls.tokens)
    references = [found.drops[len(parts) : len(parts) + n]] + [found.drops[len(parts) + n :]] * len(best)
    guesses = [float(guess.tokens[hottest].sum()), *(float(guess.components[place]) for place in best)]
    quantities, rows = _judged(context, parts, guesses, found, references)
    grid = context.adapter.boxes(*case.stimulus.image.size)
    heat = np.zeros(grid.rows * grid.columns)
    heat[: len(guess.tokens)] = guess.tokens
    word = context.target.processor.tokenizer.decode
    said, rival = (str(word([token])).strip() for token in (case.said, case.rival))
    stood = [row for row in rows if row.stood]
    return ExplainedAnswer(
        question=arguments.question,
        said=said,
        rival=rival,
        parts=rows,
        quantities={"margin": Quantity(value=case.margin, unit="logits", n=1)} | quantities,
        artifacts={
            "map": keep(context, overlay(case.stimulus.image, heat.reshape(grid.rows, grid.columns))),
            "picture": keep(context, case.stimulus.image),
        },
        warnings=("one picture: what moves this answer need not move others",),
        summary=(
            f"“{said}” leads “{rival}” by {case.margin:.2f} logits. Exchanged with {len(case.donors)} other pictures, "
            + (
                "; ".join(f"{row.part} costs {row.drop:.2f} (control {row.control:.2f})" for row in stood[:4])
                or "nothing surely costs more than random parts"
            )
            + "."
        )[:400],
    )


class Controls(NamedTuple):
    tokens: list[Part]
    components: list[Part]


def _case(context: ToolContext, arguments: ExplainAnswerArguments) -> Case:
    """Raises PlannerError where the target says the same to nearly every picture."""
    (shown,) = chosen(context, [arguments.image])
    stimulus = Stimulus(shown.key, shown.image, arguments.question)
    order = context.random("donors", stimulus.sha256).permutation(len(context.images))
    pictures = [context.images.picture(int(number)) for number in order[: TRIED * arguments.donors]]
    grid = context.adapter.boxes(*stimulus.image.size)
    others_ = [
        Stimulus(one.key, one.image, arguments.question)
        for one in pictures
        if one.key != stimulus.key.rstrip("?") and _as_many(grid, context.adapter.boxes(*one.image.size))
    ]
    if not others_:
        raise PlannerError(
            f"no picture of the collection becomes {grid.rows} × {grid.columns} tokens as this one does, so that "
            "nothing can be exchanged with it",
            kind="scope",
            hint="give a picture of the collection's own shape",
        )
    logits = context.engine.plain([stimulus, *others_]).logits.float().cpu()
    said, rival = (int(token) for token in logits[0].topk(2).indices)
    margins: Tensor = logits[:, said] - logits[:, rival]
    donors = [one for one, row in zip(others_, logits[1:], strict=True) if int(row.argmax()) != said]
    if len(donors) < FEWEST:
        word = str(context.target.processor.tokenizer.decode([said])).strip()
        raise PlannerError(
            f"the target says “{word}” to this question before {len(others_) - len(donors)} of {len(others_)} other "
            "pictures as well: it does not hang on this one",
            kind="gap",
            hint="ask a question whose answer the picture decides",
        )
    return Case(stimulus, said, rival, float(margins[0]), donors[: arguments.donors])


def _as_many(one: Grid, other: Grid) -> bool:
    return (one.rows, one.columns) == (other.rows, other.columns)


def _controls(
    context: ToolContext, best: Sequence[Address], visual: Sequence[int], hottest: Sequence[int]
) -> Controls:
    random = context.random("explain", len(visual))
    cold = [place for place in range(len(visual)) if place not in set(hottest)] or list(range(len(visual)))
    tokens = [
        Part("", tokens=tuple(visual[cold[i]] for i in sorted(random.permutation(len(cold))[: len(hottest)])))
        for _ in range(RANDOM)
    ]
    drawn: dict[Address, None] = {}
    for address in best:
        free = [one for one in others(context, address, 12, "explain") if one not in best]
        drawn |= dict.fromkeys(free[:1])
    return Controls(tokens, [Part(str(one), component=one) for one in drawn])


def _judged(
    context: ToolContext,
    parts: Sequence[Part],
    guesses: Sequence[float],
    found: Exchanged,
    references: Sequence[Float[np.ndarray, "control donor"]],
) -> tuple[dict[str, Quantity], tuple[AnswerPart, ...]]:
    """Each part's mean drop over donors beside that of its controls; both differences corrected for all parts."""
    seed = context.derived_seed("explain")
    sides = [
        controls.mean(axis=0) if len(controls) else np.zeros(found.drops.shape[1]) for controls in references
    ]
    p = [max(paired_p(own), paired_p(own - side)) for own, side in zip(found.drops, sides, strict=False)]
    sure = benjamini_hochberg(p) < LEVEL
    quantities, rows = {}, []
    for part, guess, own, side, yes in zip(parts, guesses, found.drops, sides, sure, strict=False):
        drop, control = bootstrap_mean(own, seed=seed), bootstrap_mean(side, seed=seed)
        quantities[f"drop {part.name}"] = Quantity(
            value=drop.value,
            unit="logits of the answer's lead",
            ci=(drop.low, drop.high),
            n=drop.n,
            control=control.value,
            control_ci=(control.low, control.high),
        )
        rows.append(
            AnswerPart(
                part=part.name,
                guess=guess,
                drop=drop.value,
                ci=(drop.low, drop.high),
                control=control.value,
                stood=bool(yes) and drop.value > max(0.0, control.value),
            )
        )
    return quantities, tuple(rows)
