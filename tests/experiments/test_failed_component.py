"""A mistake of ours in one component is that component's end; what is wrong for all of them ends the run."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from agent.crash import crashed, ends_the_run
from reports.site import write
from store.database import open_store
from store.errors import PlannerError, UserError
from tests.agent.scripted_server import Endpoint, serving
from tests.labelling import ABSTAINED, DESCRIBED, Labelled, Place, label, language_model
from tests.store.records import UNIT, begin
from tools.context import ToolContext
from tools.tool import TOOLS, Result

BOTH = f"{DESCRIBED},{ABSTAINED}"


@pytest.fixture
def place(labelled: Labelled, tmp_path: Path) -> Place:
    return Place(tmp_path, labelled.place.cache)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving(language_model) as opened:
        yield opened


def broken(monkeypatch: pytest.MonkeyPatch, error: Exception, components: str = ABSTAINED) -> None:
    """Makes the tool `describe` raise `error` for these components alone."""
    whole = TOOLS["describe"]

    def function(context: ToolContext, arguments: Any) -> Result:
        if arguments.component in components.split(","):
            raise error
        found: Result = whole.function(context, arguments)
        return found

    monkeypatch.setitem(TOOLS, "describe", replace(whole, function=function))


def asked(endpoint: Endpoint, *more: str) -> tuple[str, ...]:
    return label(BOTH, "--planner", "openai:scripted", "--base-url", endpoint.url, *more)


def test_a_tool_that_crashes_fails_its_component_and_the_others_go_on(
    place: Place, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch, ValueError("weights sum to `nan`, as in [e7]\nand more"))
    said = place.says(*asked(endpoint, "--json"))
    assert (said.code, said.json["status"], said.json["summary"]["failed"]) == (0, "done", 1)
    found, failed = said.json["descriptions"]
    assert found["label"] == "hearts" and found["scores"]["pearson"]["split"] == "test"
    assert (failed["component"], failed["status"]) == (ABSTAINED, "failed")
    assert failed["reason"] == "ValueError: weights sum to `nan`, as in e7"
    assert (failed["label"], failed["text"], failed["evidence"]) == ("", "", [])
    command = (
        f"maieutic label tableau-llava --components {ABSTAINED} --images tableau:40/24/40 "
        f"--planner openai:scripted --store {place.store} --base-url {endpoint.url}"
    )
    assert said.err.endswith(
        f"{ABSTAINED} failed by a mistake of ours: {failed['reason']}\n"
        f"1 of 2 failed; try again with `{command}`\n"
    )
    with open_store(place.store) as store:
        (last,) = store.queries.steps(said.json["run"], ABSTAINED)[-1:]
        kept = store.artifacts.get(last.decision["traceback"]).decode()
        assert store.queries.run(said.json["run"]).status == "done"
    assert kept.startswith("Traceback") and "ValueError: weights sum to `nan`, as in [e7]\nand more" in kept


def test_a_failed_component_is_counted_and_explained_on_the_pages_and_in_show(
    place: Place, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch, ZeroDivisionError("division by zero"))
    run = place.says(*asked(endpoint, "--json")).json["run"]
    with open_store(place.store) as store:
        index = write(store, run, place.folder / "pages")
    pages = {path.name: path.read_text(encoding="utf-8") for path in index.parent.rglob("*.html")}
    assert "1 component failed" in pages[index.name]
    (page,) = [text for name, text in pages.items() if ABSTAINED in name]
    assert page.count("ZeroDivisionError: division by zero") == 2 and "was ended by an error" in page
    shown = place.says("show", "run", run)
    assert re.search(rf"{re.escape(ABSTAINED)}\s*│ failed", shown.out)
    one = place.says("show", "component", ABSTAINED)
    assert one.out.startswith(f"{ABSTAINED}: failed\nZeroDivisionError: division by zero\n")
    assert (place.folder / one.out.rstrip().rpartition("traceback: ")[2]).is_file()


def test_a_run_in_which_every_component_failed_exits_with_1(
    place: Place, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch, ValueError("no"), BOTH)
    said = place.says(*asked(endpoint, "--json", "--jobs", "2"))
    assert (said.code, said.json["status"], said.json["summary"]["failed"]) == (1, "done", 2)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "memory"),
        (MemoryError(), "memory"),
        (RuntimeError("CUDA error: device-side assert triggered"), "device"),
        (UserError("the store is locked", kind="store-locked", hint="wait"), "store-locked"),
    ],
)
def test_what_would_meet_every_component_ends_the_run_and_freezes_nothing(
    place: Place,
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    kind: str,
) -> None:
    broken(monkeypatch, error, BOTH)
    said = place.says(*asked(endpoint, "--json"))
    assert (said.code, said.json["error"]["kind"]) == (3, kind) and "Traceback" not in said.err
    with open_store(place.store) as store:
        (run,) = store.queries.runs()
        assert run.status == "partial" and store.queries.descriptions(run.id) == []
    monkeypatch.undo()
    done = place.says("label", "--resume", run.id, "--base-url", endpoint.url, "--json")
    assert (done.code, done.json["summary"]["failed"]) == (0, 0)


def test_a_run_killed_between_the_crash_and_its_description_says_failed_all_the_same(
    place: Place, endpoint: Endpoint
) -> None:
    first = place.says(*asked(endpoint, "--limit", "1"))
    run = first.err.split(":")[0].removeprefix("run ")
    with open_store(place.store) as store:
        crashed(store, run, ABSTAINED, ValueError("no"))
    done = place.says("label", "--resume", run, "--base-url", endpoint.url, "--json")
    assert [one["status"] for one in done.json["descriptions"]][1] == "failed"
    assert done.json["descriptions"][1]["reason"] == "ValueError: no"


@pytest.mark.parametrize(
    ("error", "whole"),
    [
        (ValueError("no"), False),
        (RuntimeError("size of tensor a must match"), False),
        (PlannerError("not caught"), False),
        (AssertionError(), False),
        (UserError("the endpoint is gone", kind="endpoint"), True),
        (RuntimeError("CUDA error: device-side assert triggered"), True),
        (OSError(28, "No space left on device"), True),
        (sqlite3.OperationalError("database or disk is full"), True),
    ],
    ids=lambda value: repr(value),
)
def test_errors_are_told_apart_by_whom_they_would_meet(error: Exception, whole: bool) -> None:
    assert ends_the_run(error) is whole


def test_a_crash_is_one_line_however_much_it_says(tmp_path: Path) -> None:
    with open_store(tmp_path / "store.db") as store:
        run = begin(store, "sha256:target")
        outcome = crashed(store, run, UNIT, RuntimeError("x" * 5000 + "\nsecond line"))
        assert outcome.by == "crash" and outcome.evidence == ()
        assert len(outcome.decision.reason) == 300  # type: ignore[union-attr]
        assert "\n" not in outcome.decision.reason  # type: ignore[union-attr]
