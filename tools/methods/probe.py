"""`probe`: is a concept only encoded, or used? A probe with its control task, then questions without what it reads.

Linear probes on the pooled picture tokens of every layer, against labels that are shuffled over pictures (Hewitt and
Liang 2019). Then everything that such a probe could read is erased from the picture tokens at all layers at once
(Belrose et al. 2023) while questions are answered, beside an erasure of equal rank that shuffled labels give.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field

from store.records import Quantity
from store.values import Estimate
from tools.context import ToolContext
from tools.methods.answers import Asked, asked, refuse_wordless
from tools.methods.carriers import LEVEL
from tools.methods.encoded import Encoded, encoded, labelled, own_kinds
from tools.methods.erased import Maps, Streams, erasers, streams, without
from tools.scoring.correction import benjamini_hochberg
from tools.scoring.equivalence import Equivalence, equivalence
from tools.scoring.intervals import bootstrap_mean, wilson
from tools.tool import Arguments, Result, tool

Use = Literal["used", "not used", "undetermined"]
Verdict = Literal["used", "encoded", "absent", "undetermined"]


class ProbeArguments(Arguments):
    concept: Annotated[
        str, Field(min_length=1, max_length=200, description="A phrase, or a kind of question (its answers).")
    ]
    kinds: Annotated[
        tuple[str, ...], Field(max_length=16, description="Kinds of questions; all where none is named.")
    ] = ()
    pictures: Annotated[
        int, Field(ge=48, le=2048, description="Pictures that probes are made and tested on.")
    ] = 256
    n: Annotated[int, Field(ge=8, le=200, description="Questions of each kind.")] = 24
    delta: Annotated[
        float,
        Field(gt=0, le=1, description="Share of the untouched margin below which a drop counts as none."),
    ] = 0.1


class Probed(Result):
    """`site` is where the probe reads best on pictures that chose it; `uses` says of each kind of question whether it
    needs what was erased; `verdict` joins both, `because` says why it is open."""

    concept: str
    site: str
    words: tuple[str, ...]
    uses: dict[str, Use]
    verdict: Verdict
    because: str = ""


@tool
def probe(context: ToolContext, arguments: ProbeArguments) -> Probed:
    """Whether a concept is encoded in the language side's picture tokens, and whether answers use it.

    `encoded`: balanced accuracy of a linear probe at the best layer, beside one for shuffled labels. `drop K`
    for each kind of question: margin lost (logits) when all that linear probes could read of the concept is erased at
    every layer, beside an erasure made from shuffled labels. Encoded and used; encoded only (every drop is none, or no
    more than the control's, within ±delta of the margin, while questions about the concept itself do fall); not
    encoded; or open.
    Linear: what is encoded otherwise is missed.
    """
    refuse_wordless(context)
    words, labels, numbers = labelled(context, arguments.concept, arguments.pictures)
    found = streams(context, [context.images.asked(number) for number in numbers])
    seed = context.derived_seed("probe", arguments.concept)
    read = encoded(found, labels, seed)
    random = np.random.default_rng(seed)
    real, shuffled = erasers(found, labels), erasers(found, labels[random.permutation(len(labels))])
    own = own_kinds(context, arguments.concept, words)
    kinds = asked(
        context, tuple(dict.fromkeys((*arguments.kinds, *own))) if arguments.kinds else (), arguments.n
    )
    drops = {one.kind: _drop(context, one, found, real, shuffled, arguments.delta) for one in kinds}
    wanted = [one.kind for one in kinds if not arguments.kinds or one.kind in arguments.kinds]
    uses = _uses(drops, wanted)
    proven = [kind for kind in own if kind in drops and _fell(drops[kind])]
    verdict, because = _verdict(read, uses, bool(proven))
    return Probed(
        concept=arguments.concept,
        site=read.site,
        words=words,
        uses=uses,
        verdict=verdict,
        because=because,
        quantities=_quantities(read, drops, len(numbers)),
        warnings=_warnings(own, proven, uses),
        summary=_summary(arguments, read, drops, wanted, verdict),
    )


class Drop(NamedTuple):
    """One kind of question untouched, without the concept, and without what shuffled labels name. `beyond` tests the
    difference between the two losses, `none` whether there is a loss at all; `known`: answered better than by chance.
    """

    erased: Estimate
    control: Estimate
    beyond: Equivalence
    none: bool
    known: bool


def _drop(
    context: ToolContext, questions: Asked, found: Streams, real: Maps, shuffled: Maps, delta: float
) -> Drop:
    plain = without(context, questions, found, {})
    erased, control = (without(context, questions, found, maps) for maps in (real, shuffled))
    seed = context.derived_seed("probe", questions.kind)
    bound = max(delta * float(np.abs(plain.margin).mean()), 1e-6)
    known = wilson(int(plain.right.sum()), len(plain.right)).low > 1 / len(questions.options)
    return Drop(
        bootstrap_mean(plain.margin - erased.margin, seed=seed),
        bootstrap_mean(plain.margin - control.margin, seed=seed),
        equivalence(control.margin - erased.margin, bound),
        equivalence(plain.margin - erased.margin, bound).equivalent,
        known,
    )


def _fell(drop: Drop) -> bool:
    return drop.known and drop.beyond.effect.low > 0 and drop.erased.low > 0


def _uses(drops: dict[str, Drop], wanted: list[str]) -> dict[str, Use]:
    """Corrected for all kinds that are asked about."""
    sure = benjamini_hochberg([drops[kind].beyond.p_value for kind in wanted]) < LEVEL
    found: dict[str, Use] = {}
    for kind, yes in zip(wanted, sure, strict=True):
        drop = drops[kind]
        if bool(yes) and _fell(drop) and not drop.beyond.equivalent:
            found[kind] = "used"
        else:
            small = drop.none or drop.beyond.equivalent
            found[kind] = "not used" if small and drop.known else "undetermined"
    return found


def _verdict(read: Encoded, uses: dict[str, Use], proven: bool) -> tuple[Verdict, str]:
    """`proven`: questions about the concept itself fall, so that the erasure does take something away."""
    if read.verdict == "no":
        return "absent", ""
    if read.verdict == "undetermined":
        return "undetermined", "whether it is encoded is open: the probe's interval allows both"
    if "used" in uses.values():
        return "used", ""
    if "undetermined" in uses.values():
        return (
            "undetermined",
            "it is encoded; whether it is used is open: a drop was neither sure nor surely small",
        )
    if not proven:
        return (
            "undetermined",
            "it is encoded, and nothing asked falls without it; but no question about it falls either, so that the "
            "erasure may have taken nothing away",
        )
    return "encoded", ""


def _quantities(read: Encoded, drops: dict[str, Drop], pictures: int) -> dict[str, Quantity]:
    accuracy = read.accuracy
    found = {
        "encoded": Quantity(
            value=accuracy.value,
            unit="balanced accuracy",
            ci=(accuracy.low, accuracy.high),
            n=accuracy.n,
            control=read.control,
        ),
        "pictures": Quantity(value=pictures, unit="pictures"),
    }
    for kind, drop in drops.items():
        found[f"drop {kind}"] = Quantity(
            value=drop.erased.value,
            unit="logits of margin",
            ci=(drop.erased.low, drop.erased.high),
            n=drop.erased.n,
            control=drop.control.value,
            control_ci=(drop.control.low, drop.control.high),
        )
    return found


def _warnings(own: tuple[str, ...], proven: list[str], uses: dict[str, Use]) -> tuple[str, ...]:
    found = []
    if not own:
        found.append(
            "no kind of question is about the concept itself, so that the erasure has no positive control"
        )
    elif not proven:
        found.append(f"{', '.join(own)} questions do not surely fall: no positive control")
    if "used" in uses.values():
        found.append(
            "what was erased may touch more than the concept (Makelov and others 2023; Wu and others 2024 answer them)"
        )
    return tuple(found)


def _summary(
    arguments: ProbeArguments, read: Encoded, drops: dict[str, Drop], wanted: list[str], verdict: Verdict
) -> str:
    told = "; ".join(
        f"{kind} {drops[kind].erased.value:+.2f} (shuffled {drops[kind].control.value:+.2f})"
        for kind in wanted[:4]
    )
    return (
        f"`{arguments.concept[:60]}`: probe at {read.site} {read.accuracy.value:.2f} balanced accuracy "
        f"[{read.accuracy.low:.2f}, {read.accuracy.high:.2f}], shuffled labels {read.control:.2f}; margin "
        f"lost without it, in logits: {told}. Verdict: {verdict}."
    )[:400]
