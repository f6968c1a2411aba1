"""Components at work at once: the same results as one by one, fewer passes, and answers that were paid for are kept."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.facts import differences, facts
from store.database import open_store
from tests import experimenters
from tests.agent.scripted_server import Body, Endpoint, Reply, says, serving
from tests.labelling import ABSTAINED, DESCRIBED, Labelled, Place, label, language_model, turns

FOUR = "vision.3.mlp[0:3],language.3.mlp.0"


@pytest.fixture
def place(labelled: Labelled, tmp_path: Path) -> Place:
    return Place(tmp_path, labelled.place.cache)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving(language_model) as opened:
        yield opened


def asked(endpoint: Endpoint, components: str, *more: str) -> tuple[str, ...]:
    return label(components, "--planner", "openai:scripted", "--base-url", endpoint.url, "--json", *more)


def facts_of(place: Place, run: str) -> Any:
    with open_store(place.store) as store:
        return facts(store, run)


def test_a_run_says_the_same_whatever_number_of_components_is_at_work_at_once(
    place: Place, labelled: Labelled
) -> None:
    said = place.says(*label(f"{DESCRIBED},{ABSTAINED}", "--json", "--jobs", "64"))
    assert said.code == 0, said.err
    one_by_one = facts_of(labelled.place, labelled.run)
    assert one_by_one["experiments"]
    assert differences(one_by_one, facts_of(place, said.json["run"])) == []


def test_so_does_one_whose_planner_is_a_language_model(place: Place, endpoint: Endpoint) -> None:
    found = []
    for jobs in ("1", "64"):
        said = place.says(*asked(endpoint, FOUR, "--jobs", jobs))
        assert said.code == 0, said.err
        found.append(facts_of(place, said.json["run"]))
    assert found[0]["experiments"] and differences(*found) == []


def test_others_measure_while_a_describer_is_asked_and_all_comes_out_as_one_by_one(place: Place) -> None:
    """The describer that one component waits for does not answer before another one has measured something."""
    measured, in_time = threading.Event(), list[bool]()

    def answer(body: Body) -> Reply:
        if body["model"].startswith("eyes"):
            in_time.append(body["model"] != f"eyes-2-{os.getpid()}" or measured.wait(60))
            return eyes(body)
        if experimenters.component(body) == DESCRIBED:
            return language_model(body)
        if turns(body):
            measured.set()
            return says(("abstain", {"reason": "one look is enough"}))
        return says(("top_exemplars", {"component": ABSTAINED, "k": 4}))

    both, found = f"{DESCRIBED},{ABSTAINED}", []
    with serving(answer) as endpoint:
        for jobs in ("2", "1"):
            more = ("--describer", f"eyes-{jobs}-{os.getpid()}", "--jobs", jobs)
            said = place.says(*asked(endpoint, both, *more))
            assert said.code == 0, said.err
            found.append(facts_of(place, said.json["run"]))
    assert in_time and all(in_time), "the bench was held by a call that only waited"
    assert found[0]["experiments"] and differences(*found) == []


def eyes(body: Body) -> Reply:
    """Words that hang on each picture alone."""
    seen = [
        part["image_url"]["url"] for part in body["messages"][0]["content"] if part["type"] == "image_url"
    ]
    words = (["heart"], ["large thing"], ["heart", "large thing"])
    return says(content=json.dumps([words[zlib.crc32(url.encode()) % 3] for url in seen]))


def test_an_interruption_keeps_the_answers_that_are_on_their_way(place: Place) -> None:
    """Three components ask; the run is interrupted before any answer has come."""
    came, stopping = threading.Semaphore(0), threading.Event()

    def slow(body: Body) -> Reply:
        came.release()
        if turns(body) == 0:
            stopping.wait(120)
        return language_model(body)

    with serving(slow) as endpoint:
        process = place.begins(*asked(endpoint, "vision.3.mlp[0:3]", "--jobs", "3"))
        for _ in range(3):
            assert came.acquire(timeout=120)
        process.send_signal(signal.SIGINT)
        assert process.stderr
        told = list[str]()
        while (line := process.stderr.readline()) and "finishing what has begun" not in line:
            told.append(line)
        stopping.set()
        _, rest = process.communicate(timeout=120)
        err = "".join([*told, line, rest])
        assert process.returncode == 130 and "finishing what has begun" in err, err
        with open_store(place.store) as store:
            (run,) = store.queries.runs()
            steps = [
                [step.decision["kind"] for step in store.queries.steps(run.id, one.address)]
                for one in store.queries.components(run.id)
            ]
        assert run.status == "interrupted" and steps == [["calls"]] * 3 and len(endpoint.requests) == 3
        done = place.says("label", "--resume", run.id, "--base-url", endpoint.url, "--jobs", "3", "--json")
    assert (done.code, done.json["status"]) == (0, "done")
    beginnings = [body for body in endpoint.requests if turns(body) == 0]
    assert len(beginnings) == 3


def test_a_component_whose_endpoint_fails_costs_the_others_no_answer_that_is_on_its_way(place: Place) -> None:
    """One component's request is refused while another's is being answered; a resumed run asks for neither twice."""
    waiting = threading.Event()

    def one_refused(body: Body) -> Reply:
        component = re.search(r"`(vision\.3\.mlp\.\d)`", body["messages"][1]["content"])
        assert component
        if refusing and component[1].endswith("0"):
            assert waiting.wait(60)
            return Reply({"error": {"message": "no such model"}}, status=404)
        waiting.set()
        time.sleep(3.0 if refusing and turns(body) == 0 else 0.0)
        return language_model(body)

    refusing = True
    with serving(one_refused) as endpoint:
        said = place.says(*asked(endpoint, "vision.3.mlp[0:2]", "--jobs", "2"))
        assert said.code == 3 and said.json["error"]["kind"].startswith("endpoint"), said.err
        with open_store(place.store) as store:
            (run,) = store.queries.runs()
            kept = store.queries.steps(run.id, "vision.3.mlp.1")
        assert [step.decision["kind"] for step in kept] == ["calls"]
        refusing = False
        done = place.says("label", "--resume", run.id, "--base-url", endpoint.url, "--json")
    assert (done.code, done.json["summary"]["failed"]) == (0, 0)
