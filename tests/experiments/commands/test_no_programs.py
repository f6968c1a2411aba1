"""`--no-programs`: a language model is offered none, and refused one that it writes; a resumed run keeps to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.allowance import Allowance
from experiments.commands.ending import new_command
from experiments.commands.workplaces import USUAL
from experiments.programming import programs
from experiments.study import Study
from store.database import open_store
from tests.agent.scripted_server import Body, Endpoint, Reply, says, serving
from tests.labelling import ABSTAINED, DESCRIBED, IMAGES, Labelled, Place, label, turns

PLANNER = ("--planner", "openai:scripted")
BOTH = "vision.3.mlp[0:2]"
REFUSED = "programs are switched off: call the tools one by one"
PRINTS = ("run_program", {"source": "print(1)"})
SAYS_NO = ("abstain", {"reason": "no idea"})


@pytest.fixture
def place(labelled: Labelled, tmp_path: Path) -> Place:
    return Place(tmp_path, labelled.place.cache)


def stubborn(body: Body) -> Reply:
    """Writes a program first, whatever it is offered."""
    return says(SAYS_NO) if turns(body) else says(PRINTS)


def writes(body: Body) -> Reply:
    calls = [one["function"] for one in programs(body)["tool_calls"]]
    return says(*((one["name"], one["arguments"]) for one in calls))


def offered(endpoint: Endpoint) -> set[bool]:
    """Whether the step was offered, by request."""
    return {"run_program" in [one["function"]["name"] for one in body["tools"]] for body in endpoint.requests}


def answers(endpoint: Endpoint) -> list[dict[str, Any]]:
    """What programs were answered."""
    said = [one for one in endpoint.requests[-1]["messages"] if one["role"] == "tool"]
    return [json.loads(one["content"]) for one in said]


def test_none_is_offered_one_that_is_written_is_refused_and_the_resumed_run_keeps_to_it(place: Place) -> None:
    with serving(stubborn) as endpoint:
        where = (*PLANNER, "--base-url", endpoint.url)
        first = place.says(*label(BOTH, *where, "--no-programs", "--limit", "1", "--json"))
        again = place.says("label", "--resume", first.json["run"], "--base-url", endpoint.url, "--json")
    assert (first.code, again.code) == (3, 0), first.err + again.err
    assert len(again.json["descriptions"]) == 2 and len(endpoint.requests) == 4
    assert offered(endpoint) == {False} and answers(endpoint) == [{"refused": REFUSED}]
    with open_store(place.store) as store:
        assert store.queries.run(first.json["run"]).arguments["programs"] is False
        assert not store.queries.experiments(first.json["run"])


def test_a_run_goes_on_as_it_was_begun_whatever_the_environment_says_and_not_otherwise(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(writes) as endpoint:
        where = ("--base-url", endpoint.url, "--json")
        first = place.says(*label(BOTH, *PLANNER, "--limit", "1", *where))
        monkeypatch.setenv("MAIEUTIC_PROGRAMS", "0")
        resumed = ("label", "--resume", first.json["run"])
        typed = place.says(*resumed, "--no-programs", *where)
        again = place.says(*resumed, *where)
    assert typed.code == 2 and "was begun with programs allowed" in typed.json["error"]["message"]
    assert (first.code, again.code) == (3, 0), again.err
    assert offered(endpoint) == {True}
    with open_store(place.store) as store:
        assert store.queries.experiments(again.json["run"], "vision.3.mlp.1"), "a program has run"


def test_programs_typed_for_a_run_that_was_begun_without_are_refused(place: Place) -> None:
    with serving(stubborn) as endpoint:
        where = ("--base-url", endpoint.url, "--json")
        first = place.says(*label(BOTH, *PLANNER, "--no-programs", "--limit", "1", *where))
        typed = place.says("label", "--resume", first.json["run"], "--programs", *where)
    assert typed.code == 2 and "was begun with programs switched off" in typed.json["error"]["message"]
    assert len(endpoint.requests) == 2


def test_the_built_in_planner_goes_on_whatever_is_said_of_programs(place: Place, labelled: Labelled) -> None:
    """A run of an older store remembers nothing of programs."""
    with open_store(labelled.place.store) as old, open_store(place.store) as store:
        begun = old.queries.run(labelled.run)
        known = {name: said for name, said in begun.arguments.items() if name != "programs"}
        store.recorder.target(begun.target, begun.fingerprint, "llava", {})
        run = store.recorder.open_run("label", begun.fingerprint, known, begun.seed, begun.planner)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAIEUTIC_PROGRAMS", "0")
        assert place.says("label", "--resume", run).code == 0
    assert place.says("label", "--resume", run, "--no-programs").code == 0


def test_a_program_of_a_recorded_run_is_not_run_where_none_may_be_written(place: Place) -> None:
    with serving(writes) as endpoint:
        first = place.says(*label(DESCRIBED, *PLANNER, "--base-url", endpoint.url, "--json"))
    again = place.says(
        *label(DESCRIBED, "--planner", f"recorded:{first.json['run']}", "--no-programs", "--json")
    )
    assert (again.code, again.json["error"]["kind"]) == (3, "replay"), again.err
    with open_store(place.store) as store:
        assert [len(store.queries.experiments(run.id)) > 0 for run in store.queries.runs()] == [False, True]


def test_a_question_is_asked_without_programs_too(place: Place) -> None:
    words = ("ask", "tableau-llava", "do any two go together?", "--images", IMAGES, *PLANNER)
    with serving(stubborn) as endpoint:
        said = place.says(*words, "--base-url", endpoint.url, "--no-programs", "--json")
    assert said.json["reason"] == "no idea"
    assert offered(endpoint) == {False} and answers(endpoint) == [{"refused": REFUSED}]
    with open_store(place.store) as store:
        assert store.queries.run(said.json["run"]).arguments["programs"] is False


def test_a_study_that_allows_none_asks_without_programs(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)
    allowance = Allowance(programs=False)
    with (
        serving(stubborn) as endpoint,
        Study(
            place.store, images=IMAGES, planner=PLANNER[1], base_url=endpoint.url, allowance=allowance
        ) as study,
    ):
        found = study.ask("do any two go together?")
        assert study.workplace.store.queries.run(found.run).arguments["programs"] is False
    assert found.reason == "no idea"
    assert offered(endpoint) == {False} and answers(endpoint) == [{"refused": REFUSED}]


def test_so_is_the_description_that_a_question_needs(place: Place) -> None:
    words = ("ask", "tableau-llava", f"what does {ABSTAINED} do?", "--images", IMAGES, "--no-programs")
    assert place.says(*words, "--json").code == 0
    with open_store(place.store) as store:
        kept = {run.kind: run.arguments["programs"] for run in store.queries.runs()}
    assert kept == {"ask": False, "label": False}


def test_a_study_goes_on_without_programs_with_a_run_that_was_begun_without(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)
    with serving(stubborn) as endpoint:
        where = (*PLANNER, "--base-url", endpoint.url)
        first = place.says(*label(BOTH, *where, "--no-programs", "--limit", "1", "--json"))
        with Study(place.store, images=IMAGES, planner=PLANNER[1], base_url=endpoint.url) as study:
            study.resume(first.json["run"])
    assert offered(endpoint) == {False}
    assert answers(endpoint) == [{"refused": REFUSED}]


def test_the_command_that_tries_again_says_it_as_well() -> None:
    told = new_command({"target": "t", "programs": False, "seed": 3}, ["a"], "", USUAL)
    assert told == "try again with `maieutic label t --components a --seed 3 --no-programs`"
    assert "programs" not in new_command({"target": "t", "programs": True}, ["a"], "", USUAL)
