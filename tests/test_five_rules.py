"""The five rules that make the product what it is, each against the code that people run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from experiments.faults.model import PREDICTION, TEXT
from experiments.registry import open_target
from experiments.workplace import Workplace
from experiments.worlds import open_world
from store.database import Store, open_store
from store.records import CLAIMS, Claim, Description, Hypothesis, Verdict
from tests.agent.scripted_server import Body, Line, Reply, says, serving
from tests.labelling import (
    ABSTAINED,
    DESCRIBED,
    IMAGES,
    Labelled,
    Place,
    conclude,
    label,
    language_model,
    turns,
)
from tools.budget import Budget


@pytest.fixture
def place(labelled: Labelled, tmp_path: Path) -> Place:
    return Place(tmp_path, labelled.place.cache)


@pytest.fixture
def store(labelled: Labelled) -> Iterator[Store]:
    with open_store(labelled.place.store) as opened:
        yield opened


def labels_with(place: Place, model: Line) -> tuple[dict[str, Any], list[Body]]:
    """The description that a language model's run ends in, and every request that it got."""
    with serving(model) as endpoint:
        words = ("--planner", "openai:scripted", "--base-url", endpoint.url, "--json")
        said = place.says(*label(DESCRIBED, *words))
    assert said.code == 0, said.err
    (one,) = said.json["descriptions"]
    return one, endpoint.requests


def first_saying(text: str) -> Line:
    """A model that concludes with `text`, and properly when that is refused."""

    def model(body: Body) -> Reply:
        match turns(body):
            case 3:
                return conclude(body, text)
            case 4:
                return conclude(body)
        return language_model(body)

    return model


def rows(store: Store, table: str) -> list[dict[str, Any]]:
    return [row for row in store.queries.export_rows() if row["table"] == table]


# 1. No claim without a receipt.


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("It is more active where hearts are.", "cites no experiment"),
        (f"{TEXT} It likes stars too.", "cites no experiment"),
        (TEXT.replace("{#.effect}", "17.31 sd"), "`17.31` is not a number of the experiments cited"),
        (TEXT.replace("[#]", "[e4096]"), "e4096"),
        (TEXT.replace("{#.effect}", "{#.fame}"), "fame"),
    ],
)
def test_a_text_without_a_receipt_or_with_a_number_from_nowhere_goes_back_to_the_planner(
    place: Place, text: str, refusal: str
) -> None:
    described, requests = labels_with(place, first_saying(text))
    assert len(requests) == 5
    assert refusal in str(requests[4]["messages"][-2:])
    assert described["label"] == "hearts" and "stars" not in described["text"]
    assert "17.31" not in described["text"] and "e4096" not in described["text"]


def test_a_planner_that_insists_ends_in_an_abstention_that_says_so(place: Place) -> None:
    def stubborn(body: Body) -> Reply:
        return conclude(body, "It loves hearts.") if turns(body) >= 3 else language_model(body)

    described, requests = labels_with(place, stubborn)
    assert (described["status"], described["text"]) == ("abstained", "")
    assert "refused" in described["reason"] and "cites no experiment" in described["reason"]
    assert len(requests) < 10


def test_every_number_of_a_text_is_filled_in_from_the_experiment_beside_it(place: Place) -> None:
    described, _ = labels_with(place, language_model)
    (number,) = described["evidence"]
    with open_store(place.store) as store:
        effect = store.queries.experiment(number).result["quantities"]["effect"]
    told = described["text"].split("by ")[1].split(" sd")[0]
    assert float(told) == pytest.approx(effect["value"], rel=0.01)


# 2. A hypothesis must be able to lose.


@pytest.mark.parametrize("missing", ["quantity", "direction", "threshold", "control", "refuter"])
def test_a_hypothesis_that_could_not_lose_is_no_hypothesis(missing: str) -> None:
    told = {name: value for name, value in PREDICTION.items() if name != missing}
    with pytest.raises(ValidationError, match=missing):
        Hypothesis.model_validate(told)
    if isinstance(PREDICTION[missing], str) and missing != "direction":
        with pytest.raises(ValidationError, match=missing):
            Hypothesis.model_validate(told | {missing: ""})


def test_a_planner_that_proposes_one_hears_what_is_missing_and_nothing_is_recorded(place: Place) -> None:
    vague = {name: value for name, value in PREDICTION.items() if name != "refuter"}

    def model(body: Body) -> Reply:
        if turns(body) == 1:
            return says(("propose_hypothesis", vague))
        return says(("abstain", {"reason": "nothing to say"})) if turns(body) else language_model(body)

    _, requests = labels_with(place, model)
    assert "`refuter`: field required" in str(requests[2]["messages"])
    with open_store(place.store) as store:
        assert rows(store, "hypothesis") == []


def test_what_lost_stays_and_is_shown(labelled: Labelled, store: Store, tmp_path: Path) -> None:
    lost = [
        (thread, stated)
        for thread in (DESCRIBED, ABSTAINED)
        for stated in store.queries.hypotheses(labelled.run, thread)
        if any(verdict.outcome != "supports" for verdict in stated.verdicts)
    ]
    assert lost
    page = labelled.place.says("report", labelled.run, "-o", str(tmp_path)).out.strip()
    for thread, stated in lost:
        told = next((Path(page).parent / "components").glob(f"*{thread}*.html")).read_text(encoding="utf-8")
        assert stated.hypothesis.concept in told


# 3. The judge is blind, and the test is sealed.


def test_nothing_that_a_tool_works_with_reaches_the_test(labelled: Labelled, tmp_path: Path) -> None:
    target = open_target("tableau-llava", "cpu")
    world = open_world(IMAGES, target)
    with open_store(tmp_path / "store.db") as store:
        context = Workplace(store, target, world, cache=labelled.place.cache).context(Budget())
        sealed = {world.test.asked(number).sha256 for number in range(len(world.test))}
        for images in (context.images, context.select):
            assert images.split in ("train", "select")
            assert not sealed & {images.asked(number).sha256 for number in range(len(images))}
        assert all(getattr(context, name) is not world.test for name in vars(context))
    assert world.scorer_judge is not context.judge and world.scorer_judge_name != world.judge_name


def test_words_are_frozen_before_they_are_tested_and_tested_once(labelled: Labelled, store: Store) -> None:
    frozen = {row["component"]: row["frozen"] for row in rows(store, "description")}
    scores = [row for row in rows(store, "score") if row["split"] == "test"]
    assert scores and all(row["scored"] >= frozen[row["component"]] for row in scores)
    assert max(Counter((row["run"], row["component"], row["name"]) for row in scores).values()) == 1
    assert all(one.score.split != "test" for one in store.queries.scores(labelled.run, DESCRIBED))


def test_a_language_model_never_sees_a_score_of_the_test(place: Place) -> None:
    described, requests = labels_with(place, language_model)
    value = described["scores"]["pearson"]["value"]
    assert f"{value:.4g}" not in str(requests) and "'test'" not in str(requests[-1]["messages"])


def test_what_was_not_verified_is_printed_and_shown_like_the_rest(labelled: Labelled, tmp_path: Path) -> None:
    page = Path(labelled.place.says("report", labelled.run, "-o", str(tmp_path)).out.strip())
    shown = labelled.place.says("show", "run", labelled.run).out
    failing = [one for one in labelled.said.json["descriptions"] if one["status"] != "verified"]
    assert failing
    for one in failing:
        assert one["status"] in ("unverified", "abstained") and one["reason"]
        for text in (shown, page.read_text(encoding="utf-8")):
            assert one["component"] in text and one["status"] in text


# 4. Selective is not used.


def test_firing_and_being_needed_are_claims_of_their_own_from_experiments_of_their_own(
    labelled: Labelled, store: Store
) -> None:
    claims = labelled.said.json["descriptions"][0]["claims"]
    assert (
        claims.keys() <= set(CLAIMS) and {"selective", "necessary", "sufficient", "unused"} <= claims.keys()
    )
    tools = {
        name: {store.queries.experiment(number).tool for number in claims[name]["evidence"]}
        for name in ("selective", "necessary")
    }
    assert "ablate" not in tools["selective"] and tools["necessary"] == {"ablate"}


def test_selective_but_unused_is_a_verdict_that_can_be_said() -> None:
    yes = Claim(verdict="yes", effect=0.8, ci=(0.6, 1.0), control=0.1, evidence=(1,))
    said = Description(component=DESCRIBED, status="unverified", claims={"selective": yes, "unused": yes})
    assert said.claims["selective"] == said.claims["unused"] == yes
    assert "necessary" not in said.claims


def test_what_has_no_way_to_the_answer_is_refused_for_causal_claims_with_the_reason(place: Place) -> None:
    said = place.says("run", "ablate", "-s", "component=vision.4.mlp.3", "--images", IMAGES, "--json")
    assert said.code == 1
    assert "the connector reads the picture after vision layer 3" in said.json["error"]["message"]


# 5. Nothing is lost (killed runs: experiments/test_label.py).


def test_a_run_that_is_resumed_again_and_again_records_each_thing_once(place: Place) -> None:
    with serving(language_model) as endpoint:
        words = ("--base-url", endpoint.url, "--json")
        said = place.says(*label(DESCRIBED, "--planner", "openai:scripted", *words))
        asked = len(endpoint.requests)
        for _ in range(2):
            again = place.says("label", "--resume", said.json["run"], *words)
            assert again.json == said.json
        assert len(endpoint.requests) == asked
    with open_store(place.store) as store:
        made = rows(store, "experiment")
        assert len({(row["thread"], row["step"], row["call"]) for row in made}) == len(made) == 3
        verdict = store.queries.hypotheses(said.json["run"], DESCRIBED)[0].verdicts
        assert len(verdict) == 1 and isinstance(verdict[0], Verdict)
