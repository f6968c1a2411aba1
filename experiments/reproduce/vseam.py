"""V-SEAM (2025): heads that edits of an object, an attribute or a relation move, and what scaling them does.

Composes: items whose pictures are edited at one level, head effects, how far levels share their heads, and rescaling on
questions of their own. Says what was not found as plainly as what was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from experiments.reproduce.edits import KINDS_OF, LEVELS, Level
from experiments.reproduce.effects import (
    LEAST_GAP,
    Effects,
    by_chance,
    head_effects,
    interval,
    resamples,
)
from experiments.reproduce.items import Items, check_kinds, items_of
from experiments.reproduce.measured import couples_of
from experiments.reproduce.removal import right
from experiments.reproduce.rescaling import LOUDER, QUIETER, Rescaled, rescaled
from experiments.reproduce.setting import editor_of, heads_of
from experiments.reproduce.sharing import Sharing, sharing, top
from store.address import Address
from store.errors import UserError
from tools.methods.answers import asked

if TYPE_CHECKING:
    from tools.context import ToolContext

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Vseam:
    """Everything that was measured. `k` heads count as the most positive, or negative, of a kind or level."""

    heads: tuple[Address, ...]
    k: int
    items: dict[str, Items]
    effects: dict[str, Effects]
    levels: dict[str, Level]
    positive: Sharing
    negative: Sharing
    rescaled: tuple[Rescaled, ...]
    seed: int

    def of_level(self, level: Level) -> Float[np.ndarray, "head"]:
        """Each head's share of the gap, a mean over the level's kinds."""
        return np.mean([self.effects[kind].shares for kind in KINDS_OF[level]], axis=0)


def vseam(
    context: ToolContext,
    n: int = 48,
    held_out: int = 48,
    k: int = 6,
    among: str = "",
    say: Say = lambda _: None,
) -> Vseam:
    """`n` items and `held_out` questions a kind. Raises UserError for what can't be measured, and where the target does
    not tell the two sides of some kind's pairs apart."""
    editor, heads = editor_of(context), heads_of(context, among)
    levels: dict[str, Level] = {kind: level for level in LEVELS for kind in KINDS_OF[level]}
    check_kinds(list(levels), context.images.kinds)
    seed = context.derived_seed("vseam") % 2**31
    items, effects = dict[str, Items](), dict[str, Effects]()
    for kind, level in levels.items():
        items[kind] = items_of(context, editor, kind, n, "vseam", words=False)
        effects[kind] = head_effects(context, couples_of(items[kind], "SIP", 0.0, seed), heads)
        gap = effects[kind].gap(seed)
        say(f"{kind} ({level}): {len(items[kind].items)} items, gap {gap.value:.1f} logits")
        if gap.low <= LEAST_GAP:
            raise UserError(
                f"`{context.target.name}` hardly tells the two sides of `{kind}` pairs apart (gap {gap.value:.3f} "
                "logits): shares of that would be noise",
                kind="gap",
                hint="give a model that answers these questions",
            )
    k = min(k, len(heads) // 2)
    found = Vseam(
        tuple(heads),
        k,
        items,
        effects,
        levels,
        sharing(effects, levels, k, 1, seed),
        sharing(effects, levels, k, -1, seed),
        (),
        seed,
    )
    return _scaled(context, found, held_out, say)


def _scaled(context: ToolContext, found: Vseam, held_out: int, say: Say) -> Vseam:
    questions = {kind: asked(context, [kind], held_out)[0] for kind in found.levels}
    plain = {kind: right(context, one) for kind, one in questions.items()}
    results = []
    for level in LEVELS:
        shares = found.of_level(level)
        positive, negative = (
            [found.heads[place] for place in sorted(top(shares, found.k, sign))] for sign in (1, -1)
        )
        own = [questions[kind] for kind in KINDS_OF[level]]
        others = [one for kind, one in questions.items() if found.levels[kind] != level]
        results.append(rescaled(context, level, positive, negative, found.heads, own, others, plain))
        say(f"{level}: accuracy {results[-1].own.change(found.seed)}")
    return Vseam(**{**vars(found), "rescaled": tuple(results)})


def as_json(found: Vseam, about: dict[str, Any]) -> dict[str, Any]:
    """The record: `about` says of which target, pictures and editor."""
    told = about | {
        "k": found.k,
        "factors": {"positive": LOUDER, "negative": QUIETER},
        "kinds": {kind: _kind(found, kind) for kind in found.levels},
        "levels": {
            level: {
                "kinds": list(KINDS_OF[level]),
                "shares": {
                    str(head): round(float(share), 5)
                    for head, share in zip(found.heads, found.of_level(level), strict=True)
                },
            }
            for level in LEVELS
        },
        "sharing": {"positive": found.positive.as_json(), "negative": found.negative.as_json()},
        "rescaling": {one.level: one.as_json(found.seed) for one in found.rescaled},
    }
    return told | {"finding": finding(told)}


def _kind(found: Vseam, kind: str) -> dict[str, Any]:
    effects, items = found.effects[kind], found.items[kind]
    drawn = effects.drawn(resamples(len(effects.gaps), found.seed))
    return {
        "level": found.levels[kind],
        "n": len(items.items),
        "tried": items.tried,
        "without_edit": items.refused,
        "pixels_changed": items.changed,
        "gap": effects.gap(found.seed).as_json(),
        "chance": round(by_chance(effects, found.seed), 6),
        "shares": {
            str(head): interval(column, float(value), len(effects.gaps)).as_json()
            for head, column, value in zip(found.heads, drawn.T, effects.shares, strict=True)
        },
    }


def finding(told: dict[str, Any]) -> str:
    """One sentence: whether levels have heads of their own, and whether scaling them helps."""
    shared = told["sharing"]["positive"]
    verb = "share" if shared["difference"]["ci"][0] > 0 and shared["p"] < 0.05 else "do not surely share"
    alike = (
        f"Kinds of one level {verb} more of their positive heads than kinds of different levels (Jaccard "
        f"{shared['within']['value']:.2f} against {shared['across']['value']:.2f}, p = {shared['p']:.2f})"
    )
    raised = [level for level, one in told["rescaling"].items() if one["raises"]]
    kept = all(one["keeps_others"] for one in told["rescaling"].values())
    helps = (
        f"rescaling them raises accuracy of {', '.join(raised)}"
        if raised
        else "rescaling them raises no accuracy"
    )
    return f"{alike}; {helps}" + ("" if kept else ", and costs other kinds more than a point")
