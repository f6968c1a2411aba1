"""What can be said of scenes, and what a site's report says: units 0 and 1 are planted, 2 is dead, the rest noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from experiments.tableau.balanced import Item
from experiments.tableau.inside.activations import Site
from experiments.tableau.inside.presence import CLASSES, asked_in, true_of
from experiments.tableau.inside.units_report import UnitsReport, site_report
from experiments.tableau.questions import Question
from experiments.tableau.scene import Scene, Thing
from tools.scoring.presence import Label, presence
from tools.scoring.selectivity import selectivity, split


def test_labels_say_what_the_picture_shows() -> None:
    scene = Scene("dark", (Thing("star", "red", "solid", "small", 50, 50),))
    assert {label.words for label in true_of(scene)} == {
        *("dark", "red", "star", "solid", "small", "red star", "one things", "flat")
    }


def test_labels_of_a_question_name_its_kind_its_words_and_its_answer() -> None:
    item = Item(Scene("dark"), Question("counting"), "how many red stars are there ?", "two")
    assert asked_in(item) == {
        Label("kind", "asks for counting"),
        Label("asked", "names red"),
        Label("asked", "names star"),
        Label("answer", "the answer is two"),
    }


def test_every_label_of_a_scene_belongs_to_a_known_class(world: list[Scene]) -> None:
    half = split(range(len(world)), 0)
    everything = presence([true_of(scene) for scene in world])
    kept = everything.supported(half)
    assert 0 < len(kept.labels) < len(everything.labels)
    assert set(kept.classes) <= set(CLASSES)


@pytest.fixture(scope="module")
def found(world: list[Scene]) -> Any:
    facts = presence([true_of(scene) for scene in world])
    half = split(range(len(world)), 0)
    tested = facts.supported(half)
    rng = np.random.default_rng(0)
    copies = [rng.normal(size=(len(world), 200)) for _ in range(4)]
    red = tested.true[tested.labels.index(Label("color", "red"))]
    dark = tested.true[tested.labels.index(Label("background", "dark"))]
    copies[0][:, 0] = red + 0.01 * rng.normal(size=len(world))
    copies[0][:, 1] = -5.0 * dark + 0.01 * rng.normal(size=len(world))
    copies[0][:, 2] = 7.0
    trained, *untrained = (selectivity(copy, tested, half) for copy in copies)
    return tested, trained, untrained


def test_a_unit_that_trained_eyes_alone_explain_is_not_learned(found: Any, world: list[Scene]) -> None:
    tested, trained, untrained = found
    facts, half = presence([true_of(scene) for scene in world]), split(range(len(world)), 0)
    random = np.random.default_rng(1).normal(size=(len(world), 200))
    random[:, :40] = facts.true[facts.labels.index(Label("color", "red"))][:, None]
    seeing = [selectivity(random, tested, half)] * 2
    site = Site("language.0.mlp", "visual")
    report = site_report(site, trained, untrained, seeing, tested, counted=True)
    assert report.compared.above[:2].all()
    assert report.compared.learned[:2].tolist() == [False, True]
    assert (report.group, report.dead) == ("language (visual)", 1)
    assert report.examples[0].address == "language.0.mlp.1" and report.examples[0].phrase == "dark"
    eyes = site_report(Site("vision.0.mlp", "visual"), trained, untrained, seeing, tested, counted=True)
    assert eyes.compared.learned[0] and "trained eyes alone" not in eyes.quantiles


def test_shares_leave_out_the_sites_that_no_answer_depends_on(found: Any) -> None:
    tested, trained, untrained = found
    places = [(Site("vision.0.mlp", "visual"), True), (Site("vision.4.mlp", "visual"), False)]
    places += [(Site("language.0.mlp", "visual"), True), (Site("language.0.mlp", "last"), True)]
    sites = [
        site_report(site, trained, untrained, untrained, tested, counted=counted) for site, counted in places
    ]
    record = UnitsReport(tuple(sites), 600, 0, 3).as_json()
    assert record["above"]["vision"]["n"] == 200 and record["above"]["all"]["n"] == 600
    assert record["chance"]["all"]["n"] == 1800
    assert [site["counted"] for site in record["sites"]] == [True, False, True, True]
