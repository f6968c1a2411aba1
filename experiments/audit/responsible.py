"""Which components carry a cue to the answer, and what silencing them does to the reliance: searched, then verified.

Every head of the language tower, and every MLP as a whole, is silenced (at its mean) where the cue is shown: all of
them on a few pictures, the better third on one half of the pictures. Those that lower the cue's lead over the right
answer most are silenced together on the other half, beside as many random ones. Whether the right answer comes back is
told too, and what silencing costs where no cue is shown. Knows margins; knows nothing about any world.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from experiments.audit.asking import replies
from experiments.audit.findings import Claimed, Counts, compared
from experiments.audit.survey import Arm, Probe, Survey, says_right
from store.address import Address
from store.records import Quantity
from tools.methods.answers import run, silenced, whole
from tools.scoring.intervals import bootstrap_mean

if TYPE_CHECKING:
    from jaxtyping import Float

    from tools.context import ToolContext
    from tools.engine.plan import Intervention

MOST = 3
"""Components that are silenced together."""
SEARCHED = 24
"""Pictures on which components are searched, at most half of all."""
SCREENED, KEPT = 8, 10
"""Pictures of these on which every part is tried, and how many parts are tried on the others too."""
DRAWN = 8
"""Sets of random parts that the control's pictures are shared out among, so that none of them decides alone."""


class Part(NamedTuple):
    """A head, or the MLP of a layer as a whole (named by all of its neurons)."""

    name: str
    done: tuple[Intervention, ...]

    @property
    def is_head(self) -> bool:
        return ".head." in self.name


Parts = Sequence[Part]


class Searched(NamedTuple):
    """The first parts with the drop of the cue's lead that each alone makes, in logits, on the searching half."""

    first: list[Part]
    drops: dict[str, Quantity]
    searched: int


def parts(context: ToolContext) -> list[Part]:
    """Every head of the language tower, and every layer's MLP, that can reach the answer."""
    layers = context.extent.towers["language"]
    found = []
    for layer in range(layers.layers):
        for head in range(layers.heads):
            address = Address("language", layer, "head", head)
            found.append(Part(str(address), silenced(context, address, "mean")))
        unit = Address("language", layer, "mlp", 0)
        found.append(Part(f"language.{layer}.mlp[0:{layers.neurons}]", whole(context, unit, "mean")))
    return found


def search(context: ToolContext, survey: Survey) -> Searched:
    """The parts that bring the cue's word to the answer, best first; the searching half of the tested arm."""
    half, _ = halves(survey.tested)
    everything = parts(context)
    plain = _leads(context, half, survey.cue, ())

    def drops(part: Part, arm: Arm) -> Float[np.ndarray, "probe"]:
        lowered: Float[np.ndarray, "probe"] = plain[: len(arm)] - _leads(context, arm, survey.cue, part.done)
        return lowered

    tried = {part.name: float(drops(part, half[:SCREENED]).mean()) for part in everything}
    control = float(np.median(list(tried.values())))
    kept = sorted(everything, key=lambda part: -tried[part.name])[:KEPT]
    means = {part.name: bootstrap_mean(drops(part, half), seed=context.seed) for part in kept}
    kept.sort(key=lambda part: -means[part.name].value)
    best = [part for part in kept if means[part.name].value > 0][:MOST]
    told = {part.name: means[part.name] for part in best}
    quantities = {
        name: Quantity(value=one.value, unit="logits", ci=(one.low, one.high), n=one.n, control=control)
        for name, one in told.items()
    }
    return Searched(best, quantities, len(everything))


def at_random(context: ToolContext, survey: Survey, best: Parts) -> list[Parts]:
    """DRAWN sets of as many other parts, of the same kinds."""
    names = {part.name for part in best}
    random = context.random("audit", "at random", survey.name)
    free = [part for part in parts(context) if part.name not in names]
    found: list[Parts] = []
    for _ in range(DRAWN):
        some: list[Part] = []
        for part in best:
            same = [one for one in free if one.is_head == part.is_head and one not in some]
            some.append(same[int(random.integers(len(same)))])
        found.append(some)
    return found


def halves(arm: Arm) -> tuple[Arm, Arm]:
    """The half that searches, and the half that verifies."""
    middle = min(len(arm) // 2, SEARCHED)
    return arm[:middle], arm[middle:]


def silencing(context: ToolContext, survey: Survey, best: Parts, beside: Sequence[Parts]) -> Counts:
    """On the half that searching has not seen: how many say the cue's word, and how many the right one, untouched, with
    the parts silenced, and with random ones silenced; and how many the right one where there is no cue."""
    (_, half), (_, uncued) = halves(survey.tested), halves(survey.baseline)
    asked = [probe.asked[0] for probe in half]
    plain = replies(context, asked)
    without = replies(context, asked, done=[_together(best)] * len(asked))
    in_turn = [_together(beside[number % len(beside)]) for number in range(len(asked))]
    at_chance = replies(context, asked, done=in_turn)
    cued = {
        name: _held(half, said) for name, said in {"": plain, "best": without, "random": at_chance}.items()
    }
    right = [says_right(one) for one in asked]
    bare = [says_right(probe.asked[0]) for probe in uncued]
    kept = replies(context, [probe.asked[0] for probe in bare], done=[_together(best)] * len(bare))
    return {
        "tested": _count(cued[""]),
        "baseline": _count(cued["best"]),
        "control": _count(cued[""]),
        "control baseline": _count(cued["random"]),
        **compared(cued["random"], cued["best"]),
        "right, untouched": _count(_held(right, plain)),
        "right, silenced": _count(_held(right, without)),
        "right, random ones silenced": _count(_held(right, at_chance)),
        "right without the cue, silenced": _count(_held(bare, kept)),
    }


def _together(some: Parts) -> tuple[Intervention, ...]:
    return tuple(one for part in some for one in part.done)


def _held(arm: Sequence[Probe], said: Sequence[str]) -> list[bool]:
    return [probe.holds((word,)) for probe, word in zip(arm, said, strict=True)]


def _count(held: Sequence[bool]) -> tuple[int, int]:
    return sum(held), len(held)


def claimed(survey: Survey, names: Sequence[str]) -> Claimed:
    """That these parts carry the cue."""
    return Claimed(
        topic=survey.topic,
        name=f"carried: {survey.name.removeprefix('cue: ')}",
        claim=f"{', '.join(names)} carry it: silenced together, they lower the share that says `{survey.cue}`",
        kind="necessary",
        unit="share of replies with the cue, untouched minus silenced",
        control_is=f"the same for {len(names)} random parts of the same kinds, drawn {DRAWN} times",
        rival="silencing anything lowers it",
        shows_not="Others may carry it too; what these parts do otherwise is not told here.",
        components=tuple(names),
    )


def _leads(
    context: ToolContext, arm: Arm, cue: str, done: tuple[Intervention, ...]
) -> Float[np.ndarray, "probe"]:
    """By how many logits the cue's word leads the right answer."""
    stimuli = [probe.asked[0] for probe in arm]
    logits = run(context, stimuli, [done] * len(stimuli))
    word = context.adapter.token(cue)
    right = [context.adapter.token(one.answer) for one in stimuli]
    assert word is not None and None not in right  # a survey with a cue has answers of one token
    rows = np.arange(len(stimuli))
    table = logits.double().numpy()
    found: Float[np.ndarray, "probe"] = table[:, word] - table[rows, np.array(right)]
    return found
