"""`maieutic label --planner openai:…` from the command line to the pages, with experimenters of every kind."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from agent.sights import SIDE
from store.database import Store, open_store
from tests import experimenters
from tests.agent.scripted_server import Body, Endpoint, Reply, serving
from tests.labelling import DESCRIBED, Labelled, Place, Said, label

PLANNER = "scripted"
EYES = f"eyes-{os.getpid()}"
"""A name of its own for each process, since what a describer said is kept beside the pictures that they share."""
KEY = "sk-maieutic-tests-0123456789abcdef"


@dataclass(frozen=True)
class Session:
    """A command that was run against a scripted model: where, what it said, and what the model was sent."""

    place: Place
    said: Said
    endpoint: Endpoint

    @property
    def run(self) -> str:
        return str(self.said.json["run"])

    def asked(self, model: str) -> list[Body]:
        """The requests to one of the models."""
        return [body for body in self.endpoint.requests if body["model"] == model]


@pytest.fixture(scope="module")
def good(labelled: Labelled, tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A good experimenter on a neuron that fires on hearts and squares, with a describer for its pictures."""
    place = Place(tmp_path_factory.mktemp("good"), labelled.place.cache, KEY)

    def answer(body: Body) -> Reply:
        return experimenters.good(body) if body["model"] == PLANNER else experimenters.describes(body)

    with serving(answer) as endpoint:
        said = place.says(*label(DESCRIBED, *by(endpoint), "--describer", EYES, "--json"))
    return Session(place, said, endpoint)


KINDS = {
    "vision.3.mlp.0": experimenters.clumsy,
    "vision.3.mlp.1": experimenters.lazy,
    "vision.3.mlp.2": experimenters.boastful,
    "vision.3.mlp.3": experimenters.endless,
}


@pytest.fixture(scope="module")
def others(labelled: Labelled, tmp_path_factory: pytest.TempPathFactory) -> Session:
    """Four that work badly, each on a component of its own, with a purse for each."""
    place = Place(tmp_path_factory.mktemp("others"), labelled.place.cache)

    def answer(body: Body) -> Reply:
        return KINDS[experimenters.component(body)](body)

    with serving(answer) as endpoint:
        said = place.says(*label("vision.3.mlp[0:4]", *by(endpoint), "--max-tokens-each", "800", "--json"))
    return Session(place, said, endpoint)


@pytest.fixture
def store(good: Session) -> Iterator[Store]:
    with open_store(good.place.store) as opened:
        yield opened


def by(endpoint: Endpoint, *more: str) -> tuple[str, ...]:
    return "--planner", f"openai:{PLANNER}", "--base-url", endpoint.url, *more


def of(session: Session, component: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        one for one in session.said.json["descriptions"] if one["component"] == component
    )
    return found


def last_of(session: Session, component: str) -> Body:
    """The last request about a component."""
    return [body for body in session.endpoint.requests if experimenters.component(body) == component][-1]


def test_a_good_experimenter_ends_verified_with_receipts(good: Session, store: Store) -> None:
    assert good.said.code == 0, good.said.err
    one = of(good, DESCRIBED)
    assert (one["status"], one["label"]) == ("verified", "hearts and squares")
    cited = {int(number) for number in re.findall(r"\[e(\d+)\]", one["text"])}
    assert cited and cited <= set(one["evidence"])
    receipt = store.queries.experiment(cited.pop())
    assert receipt.thread == DESCRIBED
    assert f"{receipt.result['quantities']['effect']['value']:.2f} sd" in one["text"]
    stated = store.queries.hypotheses(good.run, DESCRIBED)
    outcomes = [one.verdicts[0].outcome for one in stated]
    assert outcomes[0] == outcomes[2] == "supports" and outcomes[1] != "supports", (
        "a rival that could win, lost"
    )


def test_what_it_was_shown_are_the_pictures_that_it_named_small_and_no_others(
    good: Session, store: Store
) -> None:
    looks = [one for one in store.queries.experiments(good.run) if one.tool == "look"]
    asked_for = [[row["image"] for row in one.result["exemplars"]] for one in looks]
    assert [len(one) for one in asked_for] == [3, 3]
    sent = [images(body) for body in good.asked(PLANNER)]
    assert [len(one) for one in sent] == [0, 0, 3, 3, 3, 6, 6, 6]
    for data, sha in zip(sent[-1], asked_for[0] + asked_for[1], strict=True):
        original = Image.open(BytesIO(store.artifacts.get(sha))).convert("RGB")
        shown = Image.open(BytesIO(data))
        assert max(shown.size) <= SIDE and shown.tobytes() == original.tobytes()


def test_its_describer_is_told_pictures_and_one_question_and_nothing_of_what_is_thought(
    good: Session,
) -> None:
    asked = good.asked(EYES)
    assert sum(len(images(body)) for body in asked) >= 20, "all that `describe` was to tell apart"
    for body in asked:
        (message,) = body["messages"]
        assert message["role"] == "user" and "tools" not in body
        words = message["content"][0]["text"]
        assert [part["type"] for part in message["content"][1:]] == ["image_url"] * len(images(body))
        for secret in (
            "hypothes",
            "active",
            "component",
            "neuron",
            "vision.",
            "tableau-llava",
            "What drives it",
        ):
            assert secret not in words


def images(body: Body) -> list[bytes]:
    """Every picture in a request."""
    parts = [part for one in body["messages"] if isinstance(one["content"], list) for part in one["content"]]
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    return [base64.b64decode(url.partition(",")[2]) for url in urls]


def test_the_tokens_of_both_are_counted_and_an_unknown_price_is_not_a_price_of_nothing(
    good: Session,
) -> None:
    turns = len(good.endpoint.requests)
    assert good.said.json["cost"] == {
        "tokens": 110 * turns,
        "requests": turns,
        "money": None,
        "currency": "USD",
    }
    assert good.said.err.endswith(f"{110 * turns:,} tokens in {turns} requests, price unknown\n")
    assert f"{110 * turns:,} tokens in {turns} requests, price unknown" in good.place.says("show", "run").out


def test_its_story_is_told_in_a_terminal(good: Session) -> None:
    said = good.place.says("show", "component", DESCRIBED, "--story")
    lines = said.out.splitlines()
    assert "turn 5: asked for 1 experiment" in lines
    story = "\n".join(lines[lines.index(next(line for line in lines if line.startswith("turn 1:"))) :])
    for told in (
        "“ Now I try to break my favorite: what excites it without any heart?",
        "? h2: It only follows size",
        "> activations(concept heart | square) → e8",
        "# 3 pictures: what the planner asked to see",
        "! h1 supported by e4: 1.",
        ". concluded: hearts and squares",
    ):
        assert told in story
    assert re.search(r"= effect 1\.\d+ \[[\d.]+, [\d.]+\] sd \(n = 40, control 0\.\d+\)", story)


def test_a_recording_of_it_replays_to_equal_words_and_evidence_without_model_or_key(good: Session) -> None:
    asked, alone = len(good.endpoint.requests), replace(good.place, key="")
    said = alone.says(*label(DESCRIBED, "--planner", f"recorded:{good.run}", "--describer", EYES, "--json"))
    assert said.code == 0, said.err
    (again,), first = said.json["descriptions"], of(good, DESCRIBED)
    for name in ("label", "concept", "status", "confidence", "scores"):
        assert again[name] == first[name]
    assert without_marks(again["text"]) == without_marks(first["text"])
    with open_store(good.place.store) as opened:
        old, new = (opened.queries.experiments(run) for run in (good.run, said.json["run"]))
    names = {before.number: after.number for before, after in zip(old, new, strict=True)}
    assert [names[number] for number in first["evidence"]] == again["evidence"]
    for before, after in zip(old, new, strict=True):
        assert (before.tool, before.arguments) == (after.tool, after.arguments)
        assert before.result.get("quantities") == after.result.get("quantities")
    assert len(good.endpoint.requests) == asked and said.json["cost"]["requests"] == 0


def without_marks(text: str) -> str:
    return re.sub(r"\[e\d+\]", "[e]", text)


def test_no_byte_that_was_written_holds_the_key(good: Session) -> None:
    place, folder = good.place, good.place.folder / "report"
    said = place.says("report", good.run, "-o", str(folder), "--json")
    told = place.says("export", "-o", str(place.folder / "rows.jsonl"))
    story = place.says("show", "component", DESCRIBED, "--story", "--json")
    assert good.endpoint.keys[0] == f"Bearer {KEY}", "it was sent, and to the endpoint alone"
    for one in (good.said, said, told, story):
        assert one.code == 0 and KEY not in one.out + one.err
    written = [path for path in place.folder.rglob("*") if path.is_file()]
    kinds = {path.suffix for path in written}
    assert kinds >= {".db", ".html", ".jsonl"} and len(written) > 20
    for path in [*written, *filter(Path.is_file, place.cache.rglob("*"))]:
        assert KEY.encode() not in path.read_bytes(), path
    for body in good.endpoint.requests:
        assert KEY not in json.dumps(body)


def test_one_that_calls_badly_is_told_what_to_do_and_comes_to_a_conclusion(others: Session) -> None:
    found = of(others, "vision.3.mlp.0")
    assert found["label"] == "hearts" and found["evidence"]
    refused = experimenters.refusals(last_of(others, "vision.3.mlp.0"))
    assert "did you mean `activations`" in refused[0]
    assert "not a JSON object" in refused[1] and "`n`" in refused[2]
    assert "there is no hypothesis `h1`" in refused[3] and "`component` is missing" in refused[4]


def test_one_that_concludes_without_experiments_is_refused_and_abstains(others: Session) -> None:
    found = of(others, "vision.3.mlp.1")
    assert (found["status"], found["reason"], found["evidence"]) == ("abstained", "I did not look.", [])
    first, second = experimenters.refusals(last_of(others, "vision.3.mlp.1"))
    assert first == second and "cites no experiment" in first and "no verdict supports anything" in first


def test_one_that_types_its_numbers_is_refused_with_each_of_them(others: Session) -> None:
    found = of(others, "vision.3.mlp.2")
    assert found["status"] == "abstained" and not found["text"]
    (refused,) = experimenters.refusals(last_of(others, "vision.3.mlp.2"))
    assert "`9.87 sd`" in refused or "`9.87` is not a number" in refused
    assert "`99 %` is not a number" in refused


def test_one_that_never_stops_is_ended_by_its_budget_with_a_last_word_and_4(others: Session) -> None:
    found = of(others, "vision.3.mlp.3")
    assert found["status"] == "abstained"
    assert found["reason"] == "the budget of 800 tokens is spent before anything could be concluded"
    assert found["cost"]["tokens"] == 880, "one request beyond the limit, and no more"
    assert "You must finish now" in last_of(others, "vision.3.mlp.3")["messages"][-1]["content"]
    assert (others.said.code, others.said.json["status"]) == (4, "budget")
    assert (
        "1 of 4 had to be concluded for want of budget; with a higher one try again with" in others.said.err
    )


def test_a_money_limit_ends_with_4_and_a_higher_one_goes_on_without_paying_twice(
    labelled: Labelled, tmp_path: Path
) -> None:
    place, prices = Place(tmp_path, labelled.place.cache), tmp_path / "prices.toml"
    prices.write_text("[models.scripted]\ninput = 10.0\noutput = 10.0\n")
    each = 110 * 10 / 1_000_000
    with serving(experimenters.clumsy) as endpoint:
        limits = ("--prices", str(prices), "--max-money", str(5.5 * each))
        said = place.says(*label("vision.3.mlp[0:2]", *by(endpoint), *limits, "--json"))
        assert (said.code, said.json["status"]) == (4, "budget"), said.err
        assert said.json["cost"]["money"] == pytest.approx(len(endpoint.requests) * each)
        assert len(endpoint.requests) == 5 and len(said.json["descriptions"]) == 1
        run = said.json["run"]
        assert f"with a higher one go on with `maieutic label --resume {run}" in said.err
        assert "5 requests, 0.0055 USD" in place.says("show", "run", run).out
        higher = ("--prices", str(prices), "--max-money", str(100 * each))
        done = place.says("label", "--resume", run, "--base-url", endpoint.url, *higher, "--json")
    assert (
        len(done.json["descriptions"]) == 2 and done.json["descriptions"][0] == said.json["descriptions"][0]
    )
    components = [experimenters.component(body) for body in endpoint.requests]
    assert components[:5] == ["vision.3.mlp.0"] * 5 and set(components[5:]) == {"vision.3.mlp.1"}
    assert done.json["cost"]["money"] == pytest.approx(len(endpoint.requests) * each)
