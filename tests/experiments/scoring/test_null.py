"""The null is what untrained copies reach: measured once, at places where units compete, for classes of phrases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from experiments.scoring.copies import untrained_copy
from experiments.scoring.joined import all_pairs, kinds
from experiments.scoring.judged import Judged
from experiments.scoring.null import VERSION, Null, SiteNull, place, summarized, untrained_null
from experiments.scoring.untrained import Fits, fits
from store.address import parse
from store.records import Reading
from tests.tools.small import SquareJudge, Squares
from tools.activations import ModelActivations
from tools.pools import POOLS
from tools.scoring.presence import Label, Presence
from tools.scoring.selectivity import split
from tools.targets.adapter import adapter_for
from tools.targets.load import load_target
from tools.targets.target import Target

UNIT, HEAD, EYE = (parse(text) for text in ("language.1.mlp.3", "language.1.head.0", "vision.0.mlp.2"))


def class_of(phrase: str) -> str:
    return "shape" if phrase == "square" else "color"


@pytest.fixture(scope="module")
def target(llava_folder: Path) -> Target:
    return load_target(llava_folder, name="tiny", device="cpu")


@pytest.fixture(scope="module")
def measured(target: Target, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("null")
    opened: list[str] = []

    def read(copy: Target) -> ModelActivations:
        opened.append(copy.name)
        return ModelActivations(copy)

    def null(*wanted: Any, **more: Any) -> Null:
        return untrained_null(
            target,
            wanted,
            Judged(SquareJudge(), Squares("test", 90), name="squares"),
            ("red", "blue", "square"),
            class_of,
            extent=adapter_for(target).extent(),
            read=read,
            **{"folder": folder, **more},
        )

    found = null((UNIT, "visual"), (HEAD, "answer"), (EYE, "visual"), (EYE, "question"))
    return found, null, opened, folder


def test_a_copy_has_the_configuration_and_other_weights(target: Target) -> None:
    state = torch.random.get_rng_state()
    copy, again, other = (untrained_copy(target, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert copy.fingerprint == again.fingerprint != other.fingerprint
    assert copy.fingerprint != target.fingerprint
    assert copy.model.config.to_dict() == target.model.config.to_dict()
    assert not copy.model.training


def test_every_place_is_measured_on_at_least_200_units_of_several_copies(measured: Any) -> None:
    found = measured[0]
    assert set(found.places) == {
        "language.1.mlp at visual tokens",
        "language.*.head at answer tokens",
        "vision.0.mlp at visual tokens",
    }
    for null in found.places.values():
        assert null.units >= 200 and null.copies >= 4
        assert set(null.thresholds) == set(null.combined) == {"color", "shape"}
        assert all(0 < value <= 1 for value in null.thresholds.values())
        assert all(-1 < value <= 1 for value in null.combined.values())


def test_untrained_units_easily_seem_selective(measured: Any) -> None:
    assert max(measured[0].places["vision.0.mlp at visual tokens"].thresholds.values()) > 0.3


def test_a_null_is_measured_once_for_a_target(measured: Any) -> None:
    found, null, opened, folder = measured
    before = list(opened)
    assert null((UNIT, "visual"), (parse("language.1.mlp.0"), "visual")) == found
    assert opened == before and len(list(folder.iterdir())) == 1


def test_targets_of_one_configuration_share_a_null(measured: Any, target: Target) -> None:
    found, _, _, folder = measured
    other = untrained_copy(target, 5)
    judged = Judged(SquareJudge(), Squares("test", 90), name="squares")
    extent = adapter_for(other).extent()
    again = untrained_null(
        other, [(UNIT, "visual")], judged, ("red", "blue", "square"), class_of, extent=extent, folder=folder
    )
    assert again.places.items() >= found.places.items()


def test_a_new_place_is_added_to_what_is_known(measured: Any) -> None:
    found, null, opened, _ = measured
    before = len(opened)
    more = null((parse("vision.1.mlp.0"), "visual"))
    assert set(more.places) == {*found.places, "vision.1.mlp at visual tokens"} and len(opened) > before


def test_a_null_that_came_with_the_checkout_is_used_and_a_torn_file_is_not(
    measured: Any, tmp_path: Path
) -> None:
    _, null, opened, folder = measured
    before = len(opened)
    null((UNIT, "visual"), folder=tmp_path / "mine", shipped=(folder,))
    assert len(opened) == before
    torn = tmp_path / "torn"
    torn.mkdir()
    (name,) = [path.name for path in folder.iterdir()]
    (torn / name).write_text('{"configuration": ')
    assert place(UNIT, "visual") in null((UNIT, "visual"), folder=torn).places and len(opened) > before


def test_a_null_of_an_older_search_is_not_used(measured: Any, tmp_path: Path) -> None:
    found, null, opened, folder = measured
    (name,) = [path.name for path in folder.iterdir()]
    older = found.model_copy(update={"made_with": found.made_with | {"version": VERSION - 1}})
    (tmp_path / name).write_text(older.model_dump_json())
    before = len(opened)
    again = null((EYE, "visual"), folder=tmp_path / "mine", shipped=(tmp_path,))
    assert len(opened) > before and again.made_with["version"] == VERSION == 3


def test_other_settings_make_another_null(measured: Any, tmp_path: Path) -> None:
    _, null, opened, folder = measured
    before = len(opened)
    null((EYE, "visual"), pictures=80, folder=tmp_path, shipped=(folder,))
    assert len(opened) > before


def test_so_few_pictures_that_no_phrase_can_be_searched_give_no_null(measured: Any, tmp_path: Path) -> None:
    _, null, opened, _ = measured
    before = len(opened)
    assert null((EYE, "visual"), pictures=12, folder=tmp_path).places == {}
    assert len(opened) == before and list(tmp_path.iterdir()) == []


def test_the_search_takes_the_side_and_phrase_that_fit_on_the_half_that_chooses() -> None:
    rng = np.random.default_rng(0)
    true = rng.random((2, 400)) < 0.4
    presence = Presence((Label("color", "red"), Label("shape", "star")), true.astype(float))
    half = split(range(400), 0)
    pooled = np.full((len(POOLS), 400, 3), np.nan, np.float32)
    pooled[POOLS.index("visual.max")] = rng.normal(size=(400, 3))
    pooled[POOLS.index("visual.min")] = rng.normal(size=(400, 3))
    pooled[POOLS.index("visual.min"), :, 0] -= 5 * true[1]
    pooled[POOLS.index("visual.max"), :, 1] += 5 * true[0]
    found = fits(pooled, "visual", presence, all_pairs(presence, half))
    assert found.rho[1, 0] > 0.8 and found.rho[0, 1] > 0.8 and found.best[:2].tolist() == [1, 0]
    assert np.abs(found.rho[:, 2]).max() < 0.3 and not found.gains[:2].any()


def test_the_search_finds_two_phrases_joined_on_the_side_where_they_fit() -> None:
    rng = np.random.default_rng(0)
    true = rng.random((3, 400)) < 0.3
    labels = (Label("color", "red"), Label("shape", "star"), Label("fill", "dotted"))
    presence, half = Presence(labels, true), split(range(400), 0)
    pooled = rng.normal(size=(len(POOLS), 400, 3)).astype(np.float32)
    pooled[POOLS.index("visual.min"), :, 0] -= 5 * (true[1] | true[2])
    pooled[POOLS.index("visual.max"), :, 1] += 5 * (true[0] & true[2])
    found = fits(pooled, "visual", presence, all_pairs(presence, half))
    best = [kinds(3)[kind] for kind in found.strength.argmax(axis=0)]
    assert best[:2] == [(1, 2), (0, 2)]
    assert found.combined.max(axis=0)[:2].min() > 0.75 and found.combined[:, 2].max() < 0.3
    assert found.gains[:2].all() and found.rho[:, :2].max() < 0.75


def test_a_dead_unit_fits_nothing() -> None:
    rng = np.random.default_rng(0)
    presence = Presence((Label("color", "red"), Label("shape", "star")), rng.random((2, 400)) < 0.4)
    pooled = rng.normal(size=(len(POOLS), 400, 3)).astype(np.float32)
    pooled[:, :, 1] = 1e-5 * (presence.true[0] | presence.true[1])
    found = fits(pooled, "visual", presence, all_pairs(presence, split(range(400), 0)))
    assert not found.combined[:, 1].any() and not found.gains[1] and not found.rho[:, 1].any()
    assert found.combined[:, [0, 2]].any()


def of(rho: Any, combined: Any, strength: Any, gains: Any) -> Fits:
    """201 units; their best phrase is of the first class."""
    return Fits(np.array(rho), np.zeros(201, int), np.array(combined), np.array(strength), gains)


RAMP, ALL = np.linspace(0, 1, 201), np.ones(201, bool)


def test_a_combination_is_compared_with_those_whose_easier_phrase_is_of_the_same_class() -> None:
    combined, strength = [RAMP, 0.8 * RAMP, 0.2 * RAMP], [0.3 * ALL, 0.2 * ALL, 0.1 * ALL]
    assert kinds(2) == [(0, 0), (0, 1), (1, 1)]
    first = summarized([of([0.5 * RAMP, 0.1 * RAMP], combined, strength, ALL)], ["easy", "hard"])
    assert first.thresholds["easy"] > first.thresholds["hard"]
    assert first.combined == pytest.approx({"easy": 0.95, "hard": 0.19})
    other = summarized([of([0.1 * RAMP, 0.5 * RAMP], combined, strength, ALL)], ["hard", "easy"])
    assert other.combined == pytest.approx({"hard": 0.95, "easy": 0.76})


def test_the_null_is_the_stricter_of_all_units_and_those_that_would_be_described_so() -> None:
    high, few = RAMP > 0.5, RAMP > 0.96
    for gains, phrases, pairs in ((high, 0.95, 0.975), (~high, 0.975, 0.95), (few, 0.95, 0.95)):
        found = summarized([of([RAMP], [RAMP], [ALL], gains)], ["color"])
        assert found.thresholds["color"] == pytest.approx(phrases, abs=0.005)
        assert found.combined["color"] == pytest.approx(pairs, abs=0.005)


def test_about_one_in_twenty_new_untrained_units_seems_learned_though_most_are_selective() -> None:
    rng = np.random.default_rng(0)
    true = rng.random((8, 400)) < np.array([[0.5], [0.5], [0.5], *[[0.1]] * 5])
    labels = tuple(Label("ground" if place < 3 else "color", str(place)) for place in range(8))
    presence = Presence(labels, true.astype(float))
    pairs = all_pairs(presence, split(range(400), 0))

    def untrained(units: int) -> Any:
        mixed = true.T @ (rng.normal(size=(8, units)) * rng.random((8, units)) ** 2)
        pooled = np.full((len(POOLS), 400, units), np.nan, np.float32)
        pooled[POOLS.index("answer")] = mixed + rng.normal(size=(400, units))
        return fits(pooled, "answer", presence, pairs)

    null = summarized([untrained(100) for _ in range(4)], presence.classes)
    found = untrained(1000)
    reached = found.rho[found.best, np.arange(1000)]
    of_class = np.array([null.thresholds[name] for name in presence.classes])
    assert (reached > 0.3).mean() > 0.3
    assert 0.02 < (reached > of_class[found.best]).mean() < 0.08


def test_units_that_mix_many_things_would_pass_with_two_phrases_if_only_phrases_had_been_searched() -> None:
    rng = np.random.default_rng(0)
    true = rng.random((12, 600)) < 0.3
    presence = Presence(tuple(Label("color", f"color{place}") for place in range(12)), true)
    pairs = all_pairs(presence, split(range(600), 0))

    def untrained(units: int) -> Fits:
        pooled = np.full((len(POOLS), 600, units), np.nan, np.float32)
        mixed = true.T @ rng.random((12, units))
        pooled[POOLS.index("answer")] = mixed + 0.3 * rng.normal(size=(600, units))
        return fits(pooled, "answer", presence, pairs)

    null, found = summarized([untrained(100) for _ in range(4)], presence.classes), untrained(500)
    phrase, two = null.thresholds["color"], null.combined["color"]
    assert found.gains.mean() > 0.7 and two > phrase
    assert (found.combined[0] > phrase).mean() > 0.3
    assert 0.02 < (found.combined[0] > two).mean() < 0.08


NULL = Null(
    configuration="c",
    made_with={},
    places={
        place(UNIT, "visual"): SiteNull(
            units=200,
            copies=4,
            thresholds={"color": 0.2, "ground": 0.6},
            combined={"color": 0.4, "ground": 0.7},
        )
    },
)
CLASSES = {"red": "color", "blue": "color", "dark": "ground", "zebra": "animal"}


@pytest.mark.parametrize(
    ("concept", "expected"),
    [
        ("red", 0.2),
        ("zebra", 0.6),
        ("!red", 0.2),
        ("red | blue", 0.4),
        ("red & dark", 0.7),
        ("red | zebra", 0.7),
        ("red | blue | dark", 0.7),
        ("red & !blue", 0.4),
    ],
)
def test_a_concept_must_exceed_the_nulls_of_its_classes_and_a_combination_that_of_combinations(
    concept: str, expected: float
) -> None:
    assert NULL.threshold(UNIT, Reading(), concept, CLASSES.__getitem__) == expected


def test_a_place_that_was_not_measured_has_no_null() -> None:
    assert NULL.threshold(HEAD, Reading(), "red", CLASSES.__getitem__) is None
    assert NULL.threshold(UNIT, Reading(scope="answer"), "red", CLASSES.__getitem__) is None
