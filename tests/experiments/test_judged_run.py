"""`label --judged N`: a run whose scorer sees a sample of the test pictures of each component, and says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.scoring.blind import _scoring
from experiments.scoring.protocol import score
from store.database import open_store
from tests.agent.scripted_server import serving
from tests.labelling import DESCRIBED, Labelled, Place, label, language_model


@pytest.fixture
def place(labelled: Labelled, tmp_path: Path) -> Place:
    return Place(tmp_path, labelled.place.cache)


def test_every_score_of_such_a_run_says_how_many_pictures_were_judged(place: Place) -> None:
    with serving(language_model) as endpoint:
        planner = ("--planner", "openai:scripted", "--base-url", endpoint.url)
        said = place.says(*label(DESCRIBED, *planner, "--judged", "30", "--json"))
    assert said.code == 0, said.err
    (one,) = said.json["descriptions"]
    for found in one["scores"].values():
        assert 15 <= found["n"] < 40 and found["split"] == "test"
        assert found["judge"] == f"scene graph (exact), importance-sampled: {found['n']} of 40 pictures"
    with open_store(place.store) as opened:
        assert opened.queries.run(said.json["run"]).arguments["judged"] == 30


def test_too_few_pictures_are_refused_before_anything_is_done(place: Place) -> None:
    said = place.says(*label(DESCRIBED, "--judged", "7", "--json"))
    assert (said.code, said.json["error"]["kind"]) == (1, "judged")
    assert said.json["error"]["hint"] == "give at least 30, or 0 for all"
    with open_store(place.store) as opened:
        assert opened.queries.runs() == []


@pytest.mark.parametrize("wanted", [0, 400, 500])
def test_a_judge_that_may_see_all_pictures_scores_as_ever(wanted: int) -> None:
    assert _scoring(wanted, 400) is score
