"""The null is what untrained copies reach: measured once, at places where units compete, for classes of phrases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from experiments.scoring.copies import untrained_copy
from experiments.scoring.judged import Judged
from experiments.scoring.null import Null, SiteNull, place, summarized, untrained_null
from experiments.scoring.untrained import fits
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
        assert set(null.thresholds) == {"color", "shape"}
        assert all(0 < value <= 1 for value in null.thresholds.values())


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


def test_other_settings_make_another_null(measured: Any, tmp_path: Path) -> None:
    _, null, opened, folder = measured
    before = len(opened)
    null((EYE, "visual"), pictures=80, folder=tmp_path, shipped=(folder,))
    assert len(opened) > before


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
    rho, best = fits(pooled, "visual", presence, half)
    assert rho[1, 0] > 0.8 and rho[0, 1] > 0.8 and best[:2].tolist() == [1, 0]
    assert np.abs(rho[:, 2]).max() < 0.3


def test_about_one_in_twenty_new_untrained_units_seems_learned_though_most_are_selective() -> None:
    rng = np.random.default_rng(0)
    true = rng.random((8, 400)) < np.array([[0.5], [0.5], [0.5], *[[0.1]] * 5])
    labels = tuple(Label("ground" if place < 3 else "color", str(place)) for place in range(8))
    presence = Presence(labels, true.astype(float))
    half = split(range(400), 0)

    def untrained(units: int) -> Any:
        mixed = true.T @ (rng.normal(size=(8, units)) * rng.random((8, units)) ** 2)
        pooled = np.full((len(POOLS), 400, units), np.nan, np.float32)
        pooled[POOLS.index("answer")] = mixed + rng.normal(size=(400, units))
        return fits(pooled, "answer", presence, half)

    null = summarized([untrained(100) for _ in range(4)], presence.classes)
    rho, best = untrained(1000)
    reached = rho[best, np.arange(1000)]
    threshold = np.array([null.thresholds[name] for name in presence.classes])[best]
    assert (reached > 0.3).mean() > 0.3
    assert 0.02 < (reached > threshold).mean() < 0.08


NULL = Null(
    configuration="c",
    made_with={},
    places={place(UNIT, "visual"): SiteNull(units=200, copies=4, thresholds={"color": 0.2, "ground": 0.6})},
)
CLASSES = {"red": "color", "blue": "color", "dark": "ground", "zebra": "animal"}


@pytest.mark.parametrize(
    ("concept", "expected"),
    [("red", 0.2), ("red | blue", 0.2), ("red & dark", 0.6), ("zebra", 0.6), ("!red", 0.2)],
)
def test_a_concept_must_exceed_the_null_of_its_class_and_a_new_class_that_of_all(
    concept: str, expected: float
) -> None:
    assert NULL.threshold(UNIT, Reading(), concept, CLASSES.__getitem__) == expected


def test_a_place_that_was_not_measured_has_no_null() -> None:
    assert NULL.threshold(HEAD, Reading(), "red", CLASSES.__getitem__) is None
    assert NULL.threshold(UNIT, Reading(scope="answer"), "red", CLASSES.__getitem__) is None
