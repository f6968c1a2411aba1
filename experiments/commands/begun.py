"""A run that a command goes on with: what it was begun with, and that it still studies the same weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.errors import UserError

if TYPE_CHECKING:
    from experiments.workplace import Workplace
    from store.views import Run

KINDS = {"label": "labelling run", "audit": "audit"}


def begun(run: str, store: str, kind: str) -> Run:
    """The run on record: what is resumed is the same run. Raises UserError for one of another kind."""
    from store.database import known_store

    with known_store(store or None) as record:
        found = record.queries.run(run)
    if found.kind != kind:
        raise UserError(f"`{run}` is no {KINDS[kind]}", kind="run", hint="`maieutic show runs` lists them")
    return found


def same_target(workplace: Workplace, run: str) -> None:
    """Results of different fingerprints never mix."""
    found = workplace.store.queries.run(run)
    if found.fingerprint != workplace.target.fingerprint:
        raise UserError(
            f"run `{run}` studies other weights than `{workplace.target.name}` has now",
            kind="changed_weights",
            hint="begin a new run",
        )
