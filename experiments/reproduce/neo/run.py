"""Neo et al. 2024 on a target: where a picture's things are kept, in which layers they are read, what is readable.

Composes items, what is measured on a target and on its untrained copy, and the paper's relations; the record holds the
paper's numbers beside. Says what is not present as plainly as what is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from experiments.reproduce.neo import paper
from experiments.reproduce.neo.items import Pictures
from experiments.reproduce.neo.measured import Measured, measured
from experiments.reproduce.neo.relations import ABSENT, PRESENT, Relation, relations
from experiments.worlds import TABLEAU, is_tableau
from store.errors import UserError

if TYPE_CHECKING:
    from tools.engine.engine import Engine

Say = Callable[[str], None]
SEED = 1 << 16


class Neo(NamedTuple):
    """What was measured on the target and, where there is one, on a copy that was never trained."""

    pictures: Pictures
    trained: Measured
    untrained: Measured | None
    relations: tuple[Relation, ...]
    seed: int


def pictures_of(spec: str, n: int, seed: int) -> Pictures:
    """Items of the embedded world (`tableau`, the default), or of a folder with COCO's instances file."""
    if is_tableau(spec or TABLEAU):
        from experiments.reproduce.neo.painted import painted

        return painted(spec or TABLEAU, n, seed)
    from experiments.reproduce.neo.coco import photographed

    return photographed(spec, n, seed)


def neo2024(
    engine: Engine,
    pictures: Pictures,
    untrained: Callable[[], Engine] | None,
    seed: int = 0,
    say: Say = lambda _: None,
    *,
    gradients: bool = True,
) -> Neo:
    """`gradients` adds the sets of largest integrated gradients. Raises UserError for a target that says no words, or
    whose picture's tokens are no grid."""
    if engine.target.family == "clip":
        raise UserError(
            f"`{engine.target.name}` compares pictures with texts and answers no questions",
            kind="no_answers",
            hint="give a model that answers, such as `tableau-llava`",
        )
    seed += SEED
    trained = measured(engine, pictures, seed, gradients=gradients, say=say)
    copy = (
        measured(untrained(), pictures, seed, gradients=gradients, control=True, say=say)
        if untrained
        else None
    )
    return Neo(pictures, trained, copy, tuple(relations(trained, copy, seed)), seed)


def as_json(found: Neo, about: Mapping[str, Any]) -> dict[str, Any]:
    """The record: `about` says of which target and pictures."""
    told = {
        **about,
        "chosen": found.pictures.chosen,
        "reference": f"mean visual token over {len(found.pictures.reference)} pictures",
        **found.trained.as_json(found.seed),
        "untrained": found.untrained.as_json(found.seed) if found.untrained else None,
        "relations": [one.as_json() for one in found.relations],
        "paper": paper.as_json(),
    }
    return told | {"finding": finding(told)}


def finding(told: Mapping[str, Any]) -> str:
    """One sentence on what flips, what is readable, and in which layers it is read."""
    readouts = [told["ablation"][name] for name in ("vqa", "polling", "captions") if name in told["ablation"]]
    lost = [one["sets"] for one in readouts if one["accuracy"]["value"] > 0 and one["sets"]]
    if not lost:
        return "None of this target's answers is right, so none can be lost"
    thing, random = (lost[0][name]["flips"]["value"] for name in ("object+1", "random+1"))
    best = next(iter(told["lens"]["words"].values()))["best"]
    depth = f", at depth {best['depth']['value']:.2f}" if best["depth"] else ""
    verdicts = [one["verdict"] for one in told["relations"]]
    beside = (
        f" (untrained {next(iter(told['untrained']['lens']['words'].values()))['best']['share']['value']:.0%})"
        if told["untrained"]
        else ""
    )
    return (
        f"Without a thing's visual tokens and one ring {thing:.0%} of right answers flip, without as many others "
        f"{random:.0%}; "
        f"{best['share']['value']:.0%} of its tokens point to its word in their best layer{depth}{beside}; "
        f"{verdicts.count(PRESENT)} of the paper's {len(verdicts)} relations are present, {verdicts.count(ABSENT)} not"
    )
