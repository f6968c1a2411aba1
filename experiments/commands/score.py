"""`maieutic score RUN`: the rest of the scoring protocol, for words that are frozen and tested."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from experiments.commands.ending import INTERRUPTED, PARTLY, Stopped
from experiments.commands.options import Device, JsonFlag, StorePlace
from experiments.commands.output import narrate, print_json, print_table
from experiments.commands.record import LAST, RunId
from store.errors import MaieuticError, UserError

if TYPE_CHECKING:
    from experiments.scoring.rest.run import Rest
    from store.records import Score

WORDS = ("target", "images", "judge", "dtype")
"""What a run remembers of the world that it was made in."""


def score(
    run: RunId = LAST, store: StorePlace = "", device: Device = "auto", as_json: JsonFlag = False
) -> None:
    """Test a run's words further: hard negatives, pictures made from them, places. What is there is not done again."""
    from experiments.commands.label import recorded_words, same_target
    from experiments.commands.workplaces import opened_workplace
    from experiments.scoring.rest.run import score_rest
    from reports.words import SCORE

    run, seed = found_run(run, store)
    asked: dict[str, Any] = {"images": "", "judge": "", "dtype": "float32"}
    asked |= recorded_words(run, store, dict.fromkeys(WORDS))
    again = f"go on with `{shlex.join(['maieutic', 'score', run, *(['--store', store] if store else [])])}`"
    with opened_workplace(
        asked["target"],
        store=store,
        images=asked["images"],
        judge=asked["judge"],
        device=device,
        dtype=asked["dtype"],
        seed=seed,
    ) as workplace:
        same_target(workplace, run)
        try:
            found = score_rest(workplace, run)
        except KeyboardInterrupt:
            raise Stopped("interrupted", "interrupted", again, INTERRUPTED) from None
        except MaieuticError as error:
            raise Stopped(
                error.message, error.kind, f"{error.hint or 'mend it'}, then {again}", PARTLY
            ) from error
    if as_json:
        print_json(found.as_json())
    else:
        print_rest(found, SCORE)


def found_run(run: str, store: str) -> tuple[str, int]:
    """The run's id and seed; `last` is the newest labelling run."""
    from store.database import known_store

    with known_store(store or None) as record:
        if run == LAST:
            begun = [one for one in record.queries.runs() if one.kind == "label"]
            if not begun:
                raise UserError(
                    "the store has no labelling runs",
                    kind="run",
                    hint="begin one: `maieutic label tableau-llava --components 'language.3.mlp[0:4]'`",
                )
            return begun[0].id, begun[0].seed
        found = record.queries.run(run)
    return found.id, found.seed


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
