"""`maieutic score RUN`: the rest of the scoring protocol, for words that are frozen and tested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from experiments.commands.begun import begun, same_target
from experiments.commands.ending import resumable, resume_command
from experiments.commands.options import Device, JsonFlag, StorePlace
from experiments.commands.output import narrate, print_json, print_table
from experiments.commands.record import LAST, RunId
from experiments.commands.workplaces import opened_workplace
from store.errors import UserError

if TYPE_CHECKING:
    from experiments.scoring.rest.run import Rest
    from store.records import Score
    from store.views import Run

WORDS = ("target", "images", "judge", "dtype")
"""What a run remembers of the world that it was made in."""


def score(
    run: RunId = LAST, store: StorePlace = "", device: Device = "auto", as_json: JsonFlag = False
) -> None:
    """Test a run's words further: hard negatives, pictures made from them, places. What is there is not done again."""
    from experiments.scoring.rest.run import score_rest
    from reports.words import SCORE

    made = found_run(run, store)
    world = {name: made.arguments[name] for name in WORDS if name in made.arguments}
    with opened_workplace(**world, store=store, device=device, seed=made.seed) as workplace:
        same_target(workplace, made.id)
        with resumable(resume_command("score", made.id, store=store)):
            found = score_rest(workplace, made.id)
    if as_json:
        print_json(found.as_json())
    else:
        print_rest(found, SCORE)


def found_run(run: str, store: str) -> Run:
    """The labelling run; `last` is the newest."""
    from store.database import known_store

    if run != LAST:
        return begun(run, store, "label")
    with known_store(store or None) as record:
        for one in record.queries.runs():
            if one.kind == "label":
                return one
    raise UserError(
        "the store has no labelling runs",
        kind="run",
        hint="begin one: `maieutic label tableau-llava --components 'language.3.mlp[0:4]'`",
    )


def print_rest(found: Rest, told: Mapping[str, str]) -> None:
    rows = [
        [component, told.get(name, name), *cells(score)]
        for component, scores in found.scores.items()
        for name, score in scores.items()
    ]
    title = f"run {found.run}: {sum(map(len, found.new.values()))} new scores"
    print_table(["component", "score on test", "value#", "by chance#", "n#"], rows, title=title)
    for reason, number in found.skipped.items():
        narrate(f"{number} not measured: {reason}")


def cells(score: Score) -> tuple[str, str, str]:
    """Value with interval, what chance or the control reaches, and of how many."""
    null = "–" if score.null is None else f"{score.null:.2f}"
    return f"{score.value:.2f} [{score.ci[0]:.2f}, {score.ci[1]:.2f}]", null, str(score.n)
