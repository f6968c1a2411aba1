"""The labelling run as a whole: what it records, how it stops and goes on, and what it costs to ask."""

from __future__ import annotations

import os
import random
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from experiments.facts import differences, evidence, facts
from experiments.threads import _worst
from store.database import Store, open_store
from store.errors import MaieuticError
from store.records import CLAIMS
from tests.agent.scripted_server import Endpoint, Reply, serving
from tests.labelling import ABSTAINED, DESCRIBED, Labelled, Place, label, language_model

KILLS = 3


@pytest.fixture
def place(labelled: Labelled, tmp_path: Path) -> Place:
    """A store of its own beside a cache that knows the pictures."""
    return Place(tmp_path, labelled.place.cache)


@pytest.fixture
def store(labelled: Labelled) -> Iterator[Store]:
    with open_store(labelled.place.store) as opened:
        yield opened


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving(language_model) as opened:
        yield opened


def recorded(where: Path) -> int:
    """How many experiments are acknowledged so far."""
    if not where.is_file():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{where}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM experiment").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def wait_for(process: subprocess.Popen[str], where: Path, count: int) -> None:
    while recorded(where) < count and process.poll() is None:
        time.sleep(0.02)


def test_a_run_says_what_it_found_in_the_shape_of_the_contract(labelled: Labelled) -> None:
    said = labelled.said
    assert said.code == 0, said.err
    assert said.json.keys() >= {"run", "status", "descriptions", "summary"}
    assert said.json["status"] == "done"
    assert said.json["summary"].keys() == {"verified", "unverified", "abstained", "failed"}
    assert sum(said.json["summary"].values()) == 2 and said.json["summary"]["abstained"] == 1
    for one in said.json["descriptions"]:
        assert one.keys() >= {
            *("component", "status", "label", "text", "facets", "confidence"),
            *("claims", "scores", "evidence", "seconds", "cost"),
        }
        assert one["cost"].keys() == {"forwards", "tokens", "money"}
    found, nothing = said.json["descriptions"]
    assert (found["component"], nothing["component"]) == (DESCRIBED, ABSTAINED)
    assert found["claims"].keys() <= set(CLAIMS) and found["claims"]["selective"]["verdict"] == "yes"
    assert found["scores"]["pearson"].keys() >= {"value", "ci", "n", "split"}
    assert {score["split"] for score in found["scores"].values()} == {"test"}
    assert nothing["status"] == "abstained" and nothing["reason"] and not nothing["label"]


def test_narration_goes_to_stderr_and_data_to_stdout(labelled: Labelled) -> None:
    assert labelled.said.err.startswith(f"run {labelled.run}: 2 components of tableau-llava\n")
    assert f"{ABSTAINED}: abstained: " in labelled.said.err
    assert labelled.said.out.startswith("{") and labelled.said.out.endswith("}\n")


def test_every_receipt_of_a_text_is_an_experiment_of_the_same_thread(
    labelled: Labelled, store: Store
) -> None:
    found = labelled.said.json["descriptions"][0]
    cited = {int(number) for number in re.findall(r"\[e(\d+)\]", found["text"])}
    assert cited and cited <= set(found["evidence"])
    for number in found["evidence"]:
        experiment = store.queries.experiment(number)
        assert (experiment.run, experiment.thread) == (labelled.run, DESCRIBED)


def test_no_planner_saw_the_test_split(labelled: Labelled, store: Store) -> None:
    assert {one.result.get("split", "train") for one in store.queries.experiments(labelled.run)} <= {
        "train",
        "select",
    }
    described = store.queries.description(labelled.run, DESCRIBED)
    assert described and not any(score.split == "test" for score in described.scores.values())


def test_a_finished_run_that_is_resumed_measures_nothing(labelled: Labelled, store: Store) -> None:
    before = list(store.queries.export_rows())
    said = labelled.place.says("label", "--resume", labelled.run, "--json")
    assert said.code == 0 and said.json == labelled.said.json
    again = list(store.queries.export_rows())
    changed = [(old, new) for old, new in zip(before, again, strict=True) if old != new]
    assert all(old["table"] == "run" and old | {"ended": ""} == new | {"ended": ""} for old, new in changed)


def test_a_limit_ends_with_3_and_the_command_that_goes_on(place: Place, endpoint: Endpoint) -> None:
    asked = ("--planner", "openai:scripted", "--base-url", endpoint.url)
    said = place.says(*label("vision.3.mlp[0:2]", "--limit", "1", *asked))
    run = said.err.split(":")[0].removeprefix("run ")
    assert said.code == 3
    assert said.err.endswith(
        f"partly done; go on with `maieutic label --resume {run} --store {place.store} "
        f"--base-url {endpoint.url}`\n"
    )
    with open_store(place.store) as opened:
        assert [bool(one.status) for one in opened.queries.components(run)] == [True, False]
        assert opened.queries.run(run).status == "partial"
        before = [one.number for one in opened.queries.experiments(run)]
    done = place.says("label", "--resume", run, "--base-url", endpoint.url, "--json")
    assert (done.code, done.json["status"]) == (0, "done")
    with open_store(place.store) as opened:
        after = opened.queries.experiments(run)
        assert [one.number for one in after][: len(before)] == before
        assert {one.thread for one in after[len(before) :]} == {ABSTAINED}


def test_a_dry_run_says_the_cost_and_records_nothing(place: Place) -> None:
    said = place.says(*label("vision.3.mlp[0:4]", "--dry-run", "--json"))
    assert said.code == 0 and said.json["components"] == 4
    assert said.json["forwards"] == said.json["shared"] + 4 * said.json["each"]
    with open_store(place.store) as opened:
        assert list(opened.queries.export_rows()) == []


def test_a_small_budget_ends_in_a_conclusion_and_exit_code_4(place: Place) -> None:
    said = place.says(*label(DESCRIBED, "--max-calls", "3", "--json"))
    assert (said.code, said.json["status"]) == (4, "budget")
    (one,) = said.json["descriptions"]
    with open_store(place.store) as opened:
        assert len(opened.queries.experiments(said.json["run"])) == 3
    assert one["status"] == "abstained" and one["reason"]


def test_an_interruption_exits_with_130_loses_nothing_and_says_how_to_go_on(place: Place) -> None:
    process = place.begins(*label(ABSTAINED, "--json"))
    wait_for(process, place.store, 1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    with open_store(place.store) as opened:
        (run,) = opened.queries.runs()
        kept = opened.queries.experiments(run.id)
    assert process.returncode == 130, err
    assert (run.status, len(kept) >= 1) == ("interrupted", True)
    command = f"`maieutic label --resume {run.id} --store {place.store}`"
    assert err.endswith(f"Interrupted.\nHint: go on with {command}\n") and "Traceback" not in err
    assert out.count('"error"') == 1 and command in out
    done = place.says("label", "--resume", run.id, "--json")
    assert (done.code, done.json["summary"]["abstained"]) == (0, 1)
    with open_store(place.store) as opened:
        assert opened.queries.experiments(run.id)[: len(kept)] == kept


def test_a_language_model_labels_through_the_same_run(place: Place, endpoint: Endpoint) -> None:
    said = place.says(*by_language_model(endpoint))
    assert said.code == 0, said.err
    (one,) = said.json["descriptions"]
    assert re.fullmatch(r"It is more active where hearts are, by -?[\d.]+ sd \[e2\]\.", one["text"])
    assert one["scores"]["pearson"]["split"] == "test" and one["claims"]["learned"]
    assert one["cost"]["tokens"] == 4 * 110 and len(endpoint.requests) == 4
    with open_store(place.store) as opened:
        assert opened.queries.run(said.json["run"]).planner == "openai:scripted"


def test_an_endpoint_that_fails_ends_with_one_sentence_and_a_run_that_can_be_resumed(place: Place) -> None:
    broken = Reply({"error": {"message": "no such key"}}, status=401)
    with serving(broken) as refusing:
        said = place.says(*by_language_model(refusing))
        error = said.json["error"]
        assert (said.code, error["kind"]) == (3, "endpoint-key")
        assert "refused the key (401)" in error["message"] and "Traceback" not in said.err
    with open_store(place.store) as opened:
        (run,) = opened.queries.runs()
        assert run.status == "partial"
        command = f"maieutic label --resume {run.id} --store {place.store} --base-url {refusing.url}"
        assert error["hint"] == f"check OPENAI_API_KEY, then go on with `{command}`"
    with serving(language_model) as willing:
        done = place.says("label", "--resume", run.id, "--base-url", willing.url, "--json")
    assert done.code == 0 and done.json["descriptions"][0]["label"] == "hearts"


def test_a_run_that_is_killed_again_and_again_ends_as_an_undisturbed_one(
    place: Place, endpoint: Endpoint
) -> None:
    calm = place.says(*by_language_model(endpoint))
    with open_store(place.store) as opened:
        undisturbed = facts(opened, calm.json["run"])
    killed = Place(place.folder / "killed", place.cache)
    killed.folder.mkdir()
    chance = random.Random(3)
    words, run, known = by_language_model(endpoint), "", 0
    for _ in range(KILLS):
        process = killed.begins(*words)
        wait_for(process, killed.store, known + 1 if known < 2 else known)
        time.sleep(chance.uniform(0, 0.3))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        with open_store(killed.store) as opened:
            (only,) = opened.queries.runs()
            run, kept = only.id, evidence(opened, only.id)
            assert len(kept) >= known
            known = len(kept)
        words = ("label", "--resume", run, "--base-url", endpoint.url, "--json")
    done = killed.says(*words)
    assert done.code == 0, done.err
    with open_store(killed.store) as opened:
        assert evidence(opened, run).items() >= kept.items()
        assert differences(undisturbed, facts(opened, run)) == []


def by_language_model(endpoint: Endpoint) -> tuple[str, ...]:
    return label(DESCRIBED, "--planner", "openai:scripted", "--base-url", endpoint.url, "--json")


def test_of_several_failures_a_bug_of_ours_is_the_one_that_is_told() -> None:
    refused, bug = MaieuticError("the endpoint is down"), ZeroDivisionError()
    assert _worst([refused, bug]) is bug
    assert _worst([refused, MaieuticError("and another")]) is refused


def test_two_runs_differ_where_their_numbers_do_and_not_where_only_time_does() -> None:
    one = {"value": 0.5, "seconds": 1.0, "ci": (0.1, 0.2), "text": "red"}
    assert differences(one, one | {"value": 0.50001, "seconds": 9.0}) == []
    assert differences(one, one | {"value": 0.6}) == [".value: 0.5 | 0.6"]
    assert differences(one, one | {"ci": (0.1, 0.3)}) == [".ci[1]: 0.2 | 0.3"]
    assert differences(one, {name: one[name] for name in ("value", "seconds", "ci")}) == [
        ".text: only in one"
    ]
