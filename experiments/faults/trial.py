"""One trial: a labelling run that meets a fault, the same run resumed without it, and what both leave in the record.

Every run is made by the command that users type. Knows commands, stores and how two runs are compared; knows nothing
about any fault.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from experiments.facts import differences, renumbered
from store.database import Store, open_store

SPARED_BEFORE, HIT, SPARED_AFTER = "vision.2.mlp.0", "vision.3.mlp.0", "vision.3.mlp.1"
"""Components of every run, in the order in which they are labelled; faults that can choose meet the second one."""
COMPONENTS = (SPARED_BEFORE, HIT, SPARED_AFTER)
IMAGES = "tableau:40/24/40"
SECONDS, RETRIES = 0.4, 1
"""How patient a run is with an endpoint here."""
PATIENCE = 600.0
"""Seconds in which every process must have ended."""
WAITS = "waits"


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, the kind and words of its error, what it printed, and how its run stands."""

    code: int
    kind: str = ""
    told: str = ""
    err: str = ""
    run: str = ""
    status: str = ""
    components: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """A folder with a store, and the cache that all trials share."""

    folder: Path
    cache: Path

    @property
    def store(self) -> Path:
        return self.folder / "store.db"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "MAIEUTIC_STORE": str(self.store),
            "MAIEUTIC_CACHE": str(self.cache),
            "HF_HUB_OFFLINE": "1",
            "OPENAI_API_KEY": "none",
        }

    def begin(self, url: str = "", *more: str) -> Ended:
        """A labelling run of all components, by a language model at `url` or the built-in planner."""
        return self.ends("label", *words_of(url), *more)

    def resume(self, run: str, url: str = "") -> Ended:
        return self.ends(*again(run, url))

    def ends(self, *words: str) -> Ended:
        """Runs a command in this process."""
        from experiments.commands.app import run

        out, err = io.StringIO(), io.StringIO()
        error: dict[str, Any] = {}
        with _environment(self.environment), redirect_stdout(out), redirect_stderr(err):
            try:
                code = run([*words, "--json"])
            except Exception as bug:  # what a user would see as a traceback
                code, error = 1, {"kind": f"traceback: {type(bug).__name__}", "message": str(bug)}
        told = json.loads(out.getvalue() or "{}") if not error else {}
        return self.found(code, error or told.get("error", {}), err.getvalue())

    def process(self, prelude: str, *words: str) -> Popen[str]:
        """Begins a command in a process of its own, which a few lines prepare."""
        return Popen(
            [sys.executable, "-c", f"{prelude}\nimport maieutic\nmaieutic.main()", *words, "--json"],
            env=os.environ | self.environment,
            stdout=PIPE,
            stderr=PIPE,
            text=True,
            start_new_session=True,
        )

    def ended(self, process: Popen[str]) -> Ended:
        """How a process ends."""
        out, err = process.communicate(timeout=PATIENCE)
        error = json.loads(out).get("error", {}) if out.strip() else {}
        if "Traceback (most recent" in err:
            error = {"kind": f"traceback: {err.strip().splitlines()[-1][:80]}"}
        return self.found(process.returncode, error, err)

    def found(self, code: int, error: Mapping[str, Any], err: str) -> Ended:
        """The end of a command that has run, with what the store says of the only run in it."""
        with open_store(self.store) as store:
            runs = store.queries.runs()
            status = runs[0].status if runs else ""
            run = runs[0].id if runs else ""
            waiting = store.queries.components(run) if run else []
        components = {one.address: one.status or WAITS for one in waiting}
        kind, message = str(error.get("kind", "")), str(error.get("message", ""))
        return Ended(code, kind, message, err, run, status, components)

    def facts(self, run: str) -> dict[str, Any]:
        with open_store(self.store) as store:
            return facts(store, run)


def words_of(url: str) -> list[str]:
    """What `maieutic label` is asked for."""
    words = ["tableau-llava", "--components", ",".join(COMPONENTS), "--images", IMAGES]
    return [*words, *(("--planner", "openai:scripted") if url else ()), *_patience(url)]


def again(run: str, url: str) -> list[str]:
    """The words that go on with a run."""
    return ["label", "--resume", run, *_patience(url)]


def _patience(url: str) -> list[str]:
    return ["--base-url", url, "--timeout", str(SECONDS), "--retries", str(RETRIES)] if url else []


def facts(store: Store, run: str) -> dict[str, Any]:
    """What a run says in the end of each component: its description as tested, and every experiment with its result.

    Experiments are called by what they asked, so that a run which lost a turn on the way says the same.
    """
    queries = store.queries
    made = queries.experiments(run, test=True)
    names = {one.number: f"{one.tool}({json.dumps(one.arguments, sort_keys=True)})" for one in made}
    told: dict[str, Any] = {}
    for one in queries.components(run):
        found = queries.description(run, one.address, test=True)
        own = [experiment for experiment in made if experiment.thread == one.address]
        told[one.address] = {
            "description": renumbered(found.model_dump(mode="json"), names) if found else None,
            "experiments": {names[each.number]: renumbered(each.result, names) for each in own},
        }
    return told


def unlike(calm: Mapping[str, Any], found: Mapping[str, Any], components: Sequence[str]) -> list[str]:
    """Places in which two runs say different things of these components."""
    return [line for name in components for line in differences(calm[name], found.get(name), name)]


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
