"""How sure the target is of right answers: margins in logits on questions with known answers, under interventions.

Knows questions, answer tokens and what it takes to silence a component; knows nothing about what follows from it. A
margin is the right answer's logit minus that of the best other answer of the kind. Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from store.address import Address
from store.errors import PlannerError
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from jaxtyping import Float as FloatTensor
    from torch import Tensor

    from tools.context import ToolContext
    from tools.engine.plan import Intervention
    from tools.targets.sites import Site

Mode = Literal["mean", "zero", "resample"]
REFERENCE = 64
"""Pictures, each with its question, over which reference means are taken."""


class Asked(NamedTuple):
    """Questions of one kind: the right answer's token for each, and all answers' tokens."""

    kind: str
    stimuli: list[Stimulus]
    right: list[int]
    options: list[int]


class Margins(NamedTuple):
    """Row by row: how many logits the right answer leads the best other one by, and whether it leads all words."""

    margin: Float[np.ndarray, "row"]
    right: Bool[np.ndarray, "row"]


def refuse_wordless(context: ToolContext) -> None:
    """Raises PlannerError for a target that says no words."""
    if context.target.family == "clip":
        raise PlannerError(
            f"`{context.target.name}` compares pictures with texts and answers no questions",
            kind="no_answers",
            hint="measure its components with `describe`, `activations` and `make_pairs`",
        )


def asked(context: ToolContext, kinds: Sequence[str], n: int) -> list[Asked]:
    """`n` questions of each kind (all kinds by default) whose answers are single tokens.

    Raises PlannerError for kinds that are not known, and where no answers are known at all.
    """
    refuse_wordless(context)
    have = context.images.kinds
    if unknown := [kind for kind in kinds if kind not in have]:
        raise PlannerError(
            f"`{unknown[0]}` is not a kind of question here",
            kind="kind",
            hint=f"kinds: {', '.join(have)}"
            if have
            else "no question about these pictures has a known answer",
        )
    found = [_kind(context, kind, n) for kind in kinds or have]
    useful = [one for one in found if len(one.options) > 1 and len(one.stimuli) > 1]
    if not useful:
        raise PlannerError(
            "no question about these pictures has a known answer of one token",
            kind="no_answers",
            hint="use tools that need no answers: `activations`, `make_pairs`",
        )
    return useful


def _kind(context: ToolContext, kind: str, n: int) -> Asked:
    stimuli, right = [], []
    for stimulus in context.images.ask(kind, n, context.derived_seed("ask", kind) % 1000):
        token = context.adapter.token(stimulus.answer)
        if token is not None:
            stimuli.append(stimulus)
            right.append(token)
    return Asked(kind, stimuli, right, sorted(set(right)))


def logits_of(
    context: ToolContext,
    name: str,
    stimuli: Sequence[Stimulus],
    done: Sequence[tuple[Intervention, ...]] | None = None,
) -> FloatTensor[Tensor, "row vocabulary"]:
    """Logits at the answer for what belongs to no component (untouched rows by default): run once for all components,
    kept under `name` and the questions, charged to nobody."""
    kept = context.memory.logits
    key = f"{name} | {' '.join(stimulus.key for stimulus in stimuli)}"
    if key not in kept:
        with context.shared():
            kept[key] = run(context, stimuli, done if done is not None else [()] * len(stimuli))
    return kept[key]


def run(
    context: ToolContext, stimuli: Sequence[Stimulus], done: Sequence[tuple[Intervention, ...]]
) -> FloatTensor[Tensor, "row vocabulary"]:
    """Logits at the answer of each question with what is done to it."""
    from tools.engine.plan import Plan, Row

    rows = [Row(number, interventions) for number, interventions in enumerate(done)]
    return context.engine.run(Plan(stimuli, rows)).logits.float().cpu()


def margins(logits: FloatTensor[Tensor, "row vocabulary"], questions: Asked) -> Margins:
    """What rows of logits, one for each question, say."""
    import torch

    own = torch.tensor(questions.right)
    options = torch.tensor(questions.options)
    rows = torch.arange(len(own))
    table = logits.float().cpu()
    others = table[:, options].masked_fill(options[None] == own[:, None], float("-inf"))
    margin = table[rows, own] - others.max(dim=1).values
    return Margins(margin.double().numpy(), (table.argmax(dim=1) == own).numpy())


def silenced(context: ToolContext, address: Address, mode: Mode, donor: int = 0) -> tuple[Intervention, ...]:
    """The component at zero, at its reference mean, or as it is on stimulus `donor` of the plan.

    Rows differ in the length of their question, so that a resample takes the picture's tokens and the answer position
    from the donor, and the reference mean at the question's (all there is where the picture is read by
    cross-attention).
    """
    from tools.engine.plan import Intervention, Mean, Swap, Zero
    from tools.targets.sites import site_of

    site, unit = site_of(address)
    if mode == "zero":
        return (Intervention(site, unit, "all", Zero()),)
    if mode == "mean":
        return (Intervention(site, unit, "all", Mean(reference_mean(context, site))),)
    space = context.adapter.tap(site).space
    if space in ("vision", "answer"):
        return (Intervention(site, unit, "all", Swap(donor)),)
    if address.tower != "language":
        return (Intervention(site, unit, "all", Mean(reference_mean(context, site))),)
    return (
        Intervention(site, unit, "visual", Swap(donor)),
        Intervention(site, unit, "question", Mean(reference_mean(context, site))),
        Intervention(site, unit, "answer", Swap(donor)),
    )


def whole(context: ToolContext, address: Address, mode: Mode) -> tuple[Intervention, ...]:
    """The site that holds the component, all of it, silenced: the positive control."""
    from tools.engine.plan import Intervention, Mean, Zero
    from tools.targets.sites import site_of

    site, _ = site_of(address)
    value = Zero() if mode == "zero" else Mean(reference_mean(context, site))
    return (Intervention(site, None, "all", value),)


def reference_mean(context: ToolContext, site: Site) -> FloatTensor[Tensor, "class width"]:
    """The site's mean over REFERENCE pictures with their questions, by class of position."""
    means = context.memory.means
    if str(site) not in means:
        order = context.random("reference").permutation(len(context.images))[:REFERENCE]
        stimuli = [context.images.asked(int(number)) for number in sorted(order)]
        with context.shared():
            means[str(site)] = context.engine.mean(site, stimuli)
    return means[str(site)]
