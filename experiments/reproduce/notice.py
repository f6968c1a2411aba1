"""NOTICE (Golovanevsky et al. 2024): which heads bring an answer back, under image and text corruption, and over tasks.

Composes: items, noise, head effects by kind of question, distances from the data, heads that recur, their roles, and
what their loss costs beside random heads. Self-attention takes the place of the paper's cross-attention heads, which
the LLaVA family has not. Says what was not found as plainly as what was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.reproduce.distant import distant
from experiments.reproduce.items import Items, check_kinds, items_of
from experiments.reproduce.measured import Measured, measured
from experiments.reproduce.noise import Strength, strength
from experiments.reproduce.recurring import Recurring, recurring
from experiments.reproduce.removal import Treated, joined, random_heads, silence, treated
from experiments.reproduce.roles import Looking, enrichments, looking, role
from experiments.reproduce.roles import joined as looked
from experiments.reproduce.setting import editor_of, heads_of
from store.address import Address
from store.errors import UserError
from tools.methods.answers import asked
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from tools.context import ToolContext
    from tools.engine.engine import Engine

KINDS = ("color", "shape", "fill", "background", "polling", "relation")
LEAST_KINDS = 3
"""Kinds in which a head must stand beyond chance to count as universal."""
CONTROL_SETS = 5
"""Random sets of as many heads whose loss stands beside that of universal ones."""
SILENCED = 6
"""Universal heads, the strongest, that are silenced together."""
CALIBRATED = 8
"""Items of each kind, at most, on which the noise's strength is chosen."""
Say = Callable[[str], None]


class Loss(NamedTuple):
    """What silencing the strongest universal heads costs, beside random sets of as many."""

    silenced: tuple[Address, ...]
    on: Treated


@dataclass(frozen=True, eq=False)
class Notice:
    """Everything that was measured, kind by kind and over all kinds."""

    heads: tuple[Address, ...]
    noise: Strength
    kinds: tuple[Measured, ...]
    distances: dict[str, Any]
    universal: Recurring
    negative: Recurring
    looks: Looking
    loss: Loss | None
    seed: int

    @property
    def shares(self) -> Float[np.ndarray, "kind head"]:
        """Under image corruption; 0 where the target does not tell the sides apart."""
        return shares_of(self.kinds)


def notice(
    context: ToolContext,
    kinds: Sequence[str] = KINDS,
    n: int = 48,
    among: str = "",
    untrained: Engine | None = None,
    say: Say = lambda _: None,
) -> Notice:
    """`n` items a kind. Raises UserError or UsageError for what can't be measured, and where the target tells no two
    sides apart."""
    editor, heads = editor_of(context), heads_of(context, among)
    check_kinds(kinds, context.images.kinds)
    seed = context.derived_seed("notice") % 2**31
    own = [
        item
        for kind in kinds
        for item in items_of(context, editor, kind, min(CALIBRATED, n), "noise", words=False).items
    ]
    noise = strength(context, own, seed)
    say(f"noise of {noise.chosen:g} of a pixel's range")
    found = []
    for kind in kinds:
        items = items_of(context, editor, kind, n, "notice")
        found.append(measured(context, items, heads, noise.chosen, seed, untrained))
        say(_said(found[-1]))
    if not any(one.sound("SIP") for one in found):
        raise UserError(
            f"`{context.target.name}` hardly tells the two sides of any pair apart: shares of that would be noise",
            kind="gap",
            hint="give a model that answers these questions",
        )
    layers = [head.site for head in heads]
    universal, negative = (
        recurring(
            np.stack([one.beyond_chance("SIP", sign) for one in found]),
            layers,
            min(LEAST_KINDS, len(kinds)),
            seed,
        )
        for sign in (1, -1)
    )
    means = shares_of(found).mean(axis=0)
    strongest = sorted(universal.heads, key=lambda place: -means[place])
    say(f"{len(universal.heads)} heads beyond chance in {universal.least} kinds or more")
    return Notice(
        tuple(heads),
        noise,
        tuple(found),
        distant(context, [one.items for one in found], noise.chosen, seed),
        universal,
        negative,
        looked([looking(context, _clean(one.items), heads) for one in found]),
        lost_without(context, [heads[place] for place in strongest], heads, kinds, n),
        seed,
    )


def shares_of(kinds: Sequence[Measured]) -> Float[np.ndarray, "kind head"]:
    """Of image corruption; 0 where the target does not tell the sides apart."""
    return np.stack(
        [one.effects["SIP"].shares if one.sound("SIP") else np.zeros(len(one.heads)) for one in kinds]
    )


def _said(one: Measured) -> str:
    gaps = ", ".join(f"{name} {found.gap(one.seed).value:.1f}" for name, found in one.effects.items())
    return f"{one.items.kind}: {len(one.items.items)} items, gaps in logits: {gaps}"


def _clean(items: Items) -> list[Stimulus]:
    return [item.clean for item in items.items]


def lost_without(
    context: ToolContext,
    strongest: Sequence[Address],
    heads: Sequence[Address],
    kinds: Sequence[str],
    n: int,
) -> Loss | None:
    """The strongest universal heads silenced on questions of their own, beside random sets of heads that are not
    universal; None where there are none."""
    silenced: list[Address] = []
    for head in strongest:
        rest = sum(one.tower == head.tower and one not in strongest for one in heads)
        if sum(one.tower == head.tower for one in silenced) < rest and len(silenced) < SILENCED:
            silenced.append(head)
    if not silenced:
        return None
    sets = [
        random_heads(
            silenced,
            heads,
            context.random("notice", "random heads", draw),
            avoid=lambda one: one in strongest,
        )
        for draw in range(CONTROL_SETS)
    ]
    done, controls = silence(context, silenced), [silence(context, one) for one in sets]
    parts = [treated(context, one, done, controls) for one in asked(context, kinds, n)]
    return Loss(tuple(silenced), joined(parts))


def as_json(found: Notice, about: dict[str, Any]) -> dict[str, Any]:
    """The record: `about` says of which target, pictures and editor."""
    told = about | {
        "heads": len(found.heads),
        "noise": found.noise.as_json(),
        "kinds": {one.items.kind: one.as_json() for one in found.kinds},
        "distances": found.distances,
        "universal": found.universal.as_json() | {"heads": heads_json(found)},
        "against": found.negative.as_json()
        | {"heads": [str(found.heads[place]) for place in found.negative.heads]},
        "ablation": loss_json(found),
    }
    return told | {"finding": finding(told)}


def heads_json(found: Notice) -> list[dict[str, Any]]:
    """The universal heads, the strongest first, with their roles."""
    means, looks = found.shares.mean(axis=0), enrichments(found.looks, found.seed)
    chosen = np.stack([one.beyond_chance("SIP", 1) for one in found.kinds])
    return [
        {
            "component": str(found.heads[place]),
            "mean_share": round(float(means[place]), 5),
            "kinds": [
                one.items.kind for one, does in zip(found.kinds, chosen[:, place], strict=True) if does
            ],
            "role": role(float(means[place]), looks[place]),
            "attention_over_even": {name: one.as_json() for name, one in looks[place].items()},
        }
        for place in sorted(found.universal.heads, key=lambda place: -means[place])
    ]


def loss_json(found: Notice) -> dict[str, Any] | None:
    """Accuracy that goes when the strongest universal heads are silenced."""
    if found.loss is None:
        return None
    on, seed = found.loss.on, found.seed
    return {
        "heads": [str(one) for one in found.loss.silenced],
        "accuracy": round(float(on.plain.mean()), 4),
        "change": on.change(seed).as_json(),
        "control": on.control_change(seed).as_json(),
        "beyond_control": on.beyond(seed).as_json(),
        "control_sets": CONTROL_SETS,
    }


def finding(told: dict[str, Any]) -> str:
    """One sentence: whether heads recur beyond chance and matter more than random ones."""
    universal, loss = told["universal"], told["ablation"]
    recur = f"{universal['found']} of {told['heads']} heads"
    where = f"in {universal['least']} or more of {len(told['kinds'])} kinds of questions"
    chance = f"({universal['expected_by_chance']:.1f} by chance)"
    if not universal["found"] or universal["p"] >= 0.05:
        return f"Universal heads are not present in this target: {recur} stand out {where} {chance}"
    sentence = f"{recur} bring the answer back {where} {chance}"
    if loss is None:
        return sentence
    lost, control = (round(-100 * loss[name]["value"]) for name in ("change", "control"))
    return (
        f"{sentence}; losing the strongest {len(loss['heads'])} costs {lost} points, as many random heads "
        f"{control}" + ("" if loss["beyond_control"]["ci"][1] < 0 else " (no sure difference)")
    )
