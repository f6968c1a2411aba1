"""Asking a language model: it plans freely, and passes the same checks as whoever describes a component."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.ask.why import Shown
from agent.openai_planner import OpenAIPlanner
from agent.planner import Planner
from agent.receipts import rounded
from agent.recorded import Recorded
from experiments.allowance import Allowance
from experiments.asking import Asked, ask
from experiments.terms import Terms
from experiments.workplace import Workplace
from store.database import open_store
from store.errors import MaieuticError, UsageError
from store.recorder import QUESTION
from tests.agent.scripted_server import Endpoint, Line, says, serving
from tests.experiments.asked import WORDS, place
from tests.tools.lively import lively

UNIT, OTHER = "language.0.mlp.3", "language.0.mlp.4"
ASKED = "Do these two neurons have anything to do with one another?"
PROPOSE = (
    "propose_hypothesis",
    {
        "statement": "They go together no more than others do.",
        "concept": "",
        "quantity": "correlation",
        "direction": "within",
        "threshold": 1.0,
        "control": "random pairs of their sites",
        "refuter": "a correlation beyond the threshold",
    },
)
MEASURE = ("correlate", {"component": UNIT, "other": OTHER})
VERDICT = ("give_verdict", {"hypothesis": "h1", "experiment": "e1", "because": "it lies within"})
ANSWER: tuple[str, dict[str, Any]] = (
    "answer",
    {
        "text": "They go together by {e1.correlation}, random pairs by {e1.correlation.control}.",
        "verdict": "no",
        "components": [UNIT],
        "table": [{"component": UNIT, "experiment": "e1", "quantity": "correlation"}],
    },
)


@pytest.fixture(scope="module")
def somewhere(llava_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target, folder = lively(llava_folder), tmp_path_factory.mktemp("planned")
    target.model.save_pretrained(folder / "model")
    target.processor.save_pretrained(folder / "model")
    return folder


@pytest.fixture
def workplace(somewhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workplace]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-logs")
    with open_store(tmp_path / "store.db") as store:
        yield place(store, somewhere / "model", somewhere / "cache")


def plans(workplace: Workplace, planner: Planner, **terms: Any) -> Asked:
    return ask(workplace, ASKED, Terms(planner, WORDS | {"planner": planner.name}, **terms))


def scripted(workplace: Workplace, *script: Line, **terms: Any) -> tuple[Asked, Endpoint]:
    with serving(*script) as endpoint:
        return plans(workplace, OpenAIPlanner("scripted", endpoint.url, retries=0), **terms), endpoint


def last_refusal(endpoint: Endpoint) -> str:
    replies = [one for one in endpoint.requests[-1]["messages"] if one["role"] == "tool"]
    return str(json.loads(replies[-1]["content"])["refused"])


def test_an_answer_with_receipts_becomes_a_finding_with_its_numbers_filled_in(workplace: Workplace) -> None:
    asked, endpoint = scripted(workplace, says(PROPOSE, MEASURE), says(VERDICT), says(ANSWER))
    finding = asked.found.finding
    assert (finding.kind, finding.status, finding.verdict) == ("free", "answered", "no")
    (experiment,) = workplace.store.queries.experiments(asked.found.run, QUESTION)
    told = experiment.result["quantities"]["correlation"]
    assert rounded(told["value"]) in finding.answer and f"[e{experiment.number}]" in finding.answer
    assert finding.rows[0].value == told["value"] and finding.rows[0].control == told["control"]
    assert finding.evidence == (experiment.number,) and finding.named == (UNIT,)
    assert (asked.status, asked.made) == ("done", 1)
    first = endpoint.requests[0]["messages"]
    assert ASKED.rstrip("?") in first[1]["content"] and "2 layers" in first[1]["content"]
    offered = [offer["function"]["name"] for offer in endpoint.requests[0]["tools"]]
    assert "answer" in offered and "conclude" not in offered and "find_components" in offered


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"text": "They are strangers."}, "cites no experiment"),
        ({"text": "They go together by 0.987 [e1]."}, "`0.987` is not a number"),
        ({"components": ["language.1.mlp.7"]}, "`language.1.mlp.7` was measured by no experiment"),
    ],
)
def test_an_answer_that_says_what_nothing_shows_goes_back_with_the_reason(
    workplace: Workplace, changes: dict[str, Any], told: str
) -> None:
    boast = ("answer", ANSWER[1] | changes)
    asked, endpoint = scripted(
        workplace,
        says(PROPOSE, MEASURE),
        says(VERDICT),
        says(boast),
        says(("abstain", {"reason": "no idea"})),
    )
    assert told in last_refusal(endpoint)
    assert (asked.found.finding.status, asked.found.finding.reason) == ("unknown", "no idea")


def test_a_lazy_one_that_never_measures_ends_as_not_known(workplace: Workplace) -> None:
    lazy = ("answer", {"text": "Surely they have.", "verdict": "yes"})
    asked, _ = scripted(workplace, says(lazy))
    assert asked.found.finding.status == "unknown"
    assert "refused" in asked.found.finding.reason
    assert asked.made == 0


def test_a_yes_or_no_that_no_verdict_decides_is_refused(workplace: Workplace) -> None:
    asked, endpoint = scripted(
        workplace, says(MEASURE), says(ANSWER), says(("answer", ANSWER[1] | {"verdict": "open"}))
    )
    assert "nothing decides the `no`" in last_refusal(endpoint)
    assert (asked.found.finding.status, asked.found.finding.verdict) == ("answered", "")


def test_one_that_never_stops_is_ended_by_its_budget(workplace: Workplace) -> None:
    more = [("correlate", {"component": UNIT, "other": f"language.0.mlp.{n}"}) for n in (5, 6, 7)]
    asked, endpoint = scripted(workplace, *(says(one) for one in more), allowance=Allowance(calls=2))
    assert asked.status == "budget"
    assert asked.found.finding.status == "unknown"
    assert asked.made == 2
    last = [offer["function"]["name"] for offer in endpoint.requests[-1]["tools"]]
    assert last == ["give_verdict", "answer", "abstain"]


def test_a_recorded_run_says_again_what_was_said_without_a_model(workplace: Workplace) -> None:
    first, _ = scripted(workplace, says(PROPOSE, MEASURE), says(VERDICT), says(ANSWER))
    again = plans(workplace, Recorded(workplace.store, first.found.run))
    assert again.found.finding.verdict == "no"
    assert [row.value for row in again.found.finding.rows] == [row.value for row in first.found.finding.rows]
    assert again.found.finding.evidence != first.found.finding.evidence


def test_a_picture_is_told_to_the_model_and_an_empty_question_to_nobody(workplace: Workplace) -> None:
    shown = Shown("train/3", "what color is the star ?")
    _, endpoint = scripted(workplace, says(("abstain", {"reason": "it is open"})), shown=shown)
    told = endpoint.requests[0]["messages"][1]["content"]
    assert "train/3" in told and "what color is the star ?" in told
    with serving(says(ANSWER)) as silent:
        terms = Terms(OpenAIPlanner("scripted", silent.url, retries=0), WORDS)
        with pytest.raises(UsageError, match="empty"):
            ask(workplace, " ?", terms)
    assert not silent.requests


def test_an_endpoint_that_is_not_there_is_a_sentence_and_the_run_is_kept(workplace: Workplace) -> None:
    with pytest.raises(MaieuticError, match=r"127\.0\.0\.1:9"):
        plans(workplace, OpenAIPlanner("scripted", "http://127.0.0.1:9/v1", retries=0))
    assert workplace.store.queries.runs()[0].status == "failed"
