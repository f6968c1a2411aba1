"""Runs of a bench: one that was stopped goes on, and what a baseline says is frozen and tested like a planner's words.

Knows the record; knows nothing about truths or how a baseline chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from experiments.bench.baselines import Baseline, Seen
from experiments.label import begin
from experiments.scoring.blind import score_frozen
from experiments.workplace import Workplace
from store.address import parse
from store.errors import UserError
from store.records import Description, Reading
from store.views import Run


def begun(
    workplace: Workplace, planner: str, components: Sequence[str], arguments: dict[str, Any], of: str = ""
) -> str:
    """The labelling run of this target and planner that a bench goes on with, or a new one.

    A bench has a first run, and others that are `of` it: while one of them waits to be finished the bench goes on, with
    all that it has done. Raises UserError of kind "bench" for one that was begun with other components or `images`.
    """
    known = workplace.store.queries.runs()
    waiting = {run.arguments.get("of") for run in known if not _is_done(run)}
    for run in known:
        same = (run.fingerprint, run.planner) == (workplace.target.fingerprint, planner)
        goes_on = bool(of) or not _is_done(run) or run.id in waiting
        if same and run.kind == "label" and run.arguments.get("of", "") == of and goes_on:
            _check_same(workplace, run, components, arguments)
            return run.id
    return begin(
        workplace, [parse(one) for one in components], planner, arguments | ({"of": of} if of else {})
    )


def _check_same(workplace: Workplace, run: Run, components: Sequence[str], arguments: dict[str, Any]) -> None:
    """A bench goes on as it was begun; a run that does not say on which pictures is taken at the bench's word."""
    begun_with = [one.address for one in workplace.store.queries.components(run.id)]
    images = arguments.get("images")
    other = ""
    if sorted(begun_with) != sorted(components):
        other = f"{len(begun_with)} components, not these {len(components)}"
    elif (known := run.arguments.get("images", images)) != images:
        other = f"`--images {known}`, not `{images}`"
    elif (known := run.arguments.get("programs", True)) != arguments.get("programs", True):
        other = "`--programs`, not `--no-programs`" if known else "`--no-programs`, not `--programs`"
    if other:
        raise UserError(
            f"run `{run.id}`, with which this bench goes on, was begun with {other}",
            kind="bench",
            hint="ask as you did then, or give a `--store` of its own",
        )


def _is_done(run: Run) -> bool:
    """A run of a baseline is done in one go, and never waits."""
    return run.kind != "label" or run.status in ("done", "budget")


def tested_guesses(seen: Seen, name: str, baseline: Baseline, components: Sequence[str]) -> list[Description]:
    """A run in which a baseline says something of every component, as the sealed test found it."""
    workplace = seen.workplace
    recorder, queries = workplace.store.recorder, workplace.store.queries
    arguments = {"bench": "truth", "baseline": name, "of": seen.run}
    run = recorder.open_run(
        "score", workplace.target.fingerprint, arguments, workplace.seed, f"baseline:{name}"
    )
    recorder.components(run, components)
    for place, component in enumerate(components):
        recorder.description(run, _described(component, *baseline(seen, component)))
        workplace.progress(f"baseline {name}", place + 1, len(components))
    score_frozen(workplace, run)
    recorder.end_run(run, "done")
    return queries.descriptions(run, test=True)


def _described(component: str, concept: str, reading: Reading) -> Description:
    if not concept:
        return Description(component=component, status="abstained", reason="It found nothing to say.")
    return Description(
        component=component, status="unverified", reading=reading, label=concept[:120], concept=concept
    )
