"""`maieutic bench agreement FIRST SECOND`: whether two runs over the same components say the same of them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from experiments.commands.options import Device, JsonFlag, StorePlace
from experiments.commands.output import print_json, print_table
from store.errors import UserError


def agreement(
    first: Annotated[str, typer.Argument(metavar="FIRST", help="The run that the other is held against.")],
    second: Annotated[
        str, typer.Argument(metavar="SECOND", help="The run whose verified words are counted.")
    ],
    other_store: Annotated[str, typer.Option(help="The record of the second run, where it is another.")] = "",
    store: StorePlace = "",
    device: Device = "auto",
    as_json: JsonFlag = False,
) -> None:
    """Count how often two runs say the same of a component: in meaning, or of the same test pictures of the first."""
    from experiments.bench.two_runs import agreement as compared
    from experiments.registry import open_target
    from experiments.scoring.judged import Judged
    from experiments.workplace import cache_folder
    from experiments.worlds import open_world
    from store.database import known_store

    with known_store(store or None) as one, known_store(other_store or store or None) as other:
        begun, beside = one.queries.run(first), other.queries.run(second)
        if begun.fingerprint != beside.fingerprint:
            raise UserError(
                f"`{first}` and `{second}` study different weights",
                kind="run",
                hint="name runs of one target",
            )
        if "target" not in begun.arguments:
            raise UserError(
                f"`{first}` does not say how its target and pictures are opened",
                kind="run",
                hint="name a run of `maieutic label` first; a bench's own runs can't be held against each other",
            )
        base = one.queries.descriptions(first, test=True)
        said = other.queries.descriptions(second, test=True)
    words = begun.arguments
    target = open_target(words["target"], device, dtype=words.get("dtype", "float32"), seed=begun.seed)
    world = open_world(words.get("images") or None, target, words.get("judge") or None, begun.seed)
    judged = Judged(
        world.scorer_judge, world.test, name=world.scorer_judge_name, folder=cache_folder() / "judged"
    )
    found = {
        "first": first,
        "second": second,
        "judge": judged.name,
        "pictures": len(judged),
        **compared(base, said, judged.column).as_json(),
    }
    if as_json:
        print_json(found)
    else:
        print_agreement(found)


def print_agreement(found: dict[str, Any]) -> None:
    print_table(
        ["component", "verdict", "alike#", f"{found['first']} says", f"{found['second']} says"],
        [
            [
                one["component"],
                one["verdict"],
                "–" if one["alike"] is None else f"{one['alike']:.2f}",
                *(_words(one[run]) for run in ("first", "second")),
            ]
            for one in found["components"]
        ],
    )
    print_table(
        ["of the second run's verified words", "share [95 % interval]", "n#"],
        [
            [told, f"{one['rate']:.2f} [{one['ci'][0]:.2f}, {one['ci'][1]:.2f}]", str(one["n"])]
            for name, told in (
                ("agree", "the first run's verified words say the same"),
                ("agree_where_both_verified", "the same, where the first run has verified words"),
                ("one_concept_where_both_verified", "the same concept, of whatever side and tokens"),
            )
            if (one := found[name])
        ],
        title=f"by `{found['judge']}` on {found['pictures']} pictures",
    )


def _words(said: dict[str, Any]) -> str:
    return f"{said['concept']} ({said['reading']})" if said["concept"] else str(said["status"])
