"""The concept judge before it has learned anything: shapes, probabilities, files, labels, and that it can learn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import load_file

from experiments.tableau.concepts import WORDS
from experiments.tableau.judge import STRIDE, Judge, Reading
from experiments.tableau.judge_check import examine
from experiments.tableau.phrases import ATTRIBUTES, Phrase
from experiments.tableau.render import masks, render, to_image
from experiments.tableau.scene import SIDE, STYLES, Light, Scene, Thing
from experiments.tableau.train.crops import AROUND, WHOLE, Box, centers, label, shown, styled
from experiments.tableau.train.dense import NONE
from experiments.tableau.train.judge import JudgeTrainee, batch_of, judge_batch, stages
from store.errors import UserError
from tests.experiments.tableau.scenes import random_scene, scenes
from tools.judging import ConceptJudge

RED_STAR = Thing("star", "red", "striped", "large", 40, 40)
BLUE_RING = Thing("ring", "blue", "solid", "small", 90, 90)
SCENE = Scene("dark", (RED_STAR, BLUE_RING))
PICTURE = to_image(render(SCENE))


@pytest.fixture(scope="module")
def judge() -> Judge:
    torch.manual_seed(0)
    return Judge().eval()


def sure(word: str) -> torch.Tensor:
    """Certainty of one word, for one peak of one picture."""
    words = next(words for words in WORDS.values() if word in words)
    return torch.tensor([[[float(one == word) for one in words]]])


def reading_of(*things: tuple[float, str, str, str, str], background: str) -> Reading:
    """A reading of one picture, each thing given as (probability, size, fill, color, shape)."""
    peaks = torch.tensor([[thing[0] for thing in things]])
    looks = [torch.cat([sure(str(thing[index])) for thing in things], dim=1) for index in range(1, 5)]
    size, fill, color, shape = looks
    return Reading(peaks, peaks, peaks, size, fill, color, shape, sure(background)[:, 0])


def test_the_judge_is_small(judge: Judge) -> None:
    assert sum(parameter.numel() for parameter in judge.parameters()) <= 280_000


@pytest.mark.parametrize(("height", "width"), [(112, 112), (16, 16), (37, 90), (224, 40)])
def test_pictures_of_any_size_give_maps_of_their_own_size(judge: Judge, height: int, width: int) -> None:
    maps = judge(torch.zeros(2, 3, height, width))
    cells = (-(-height // STRIDE), -(-width // STRIDE))
    assert maps.thing.shape == (2, *cells)
    assert maps.background.shape == (2, len(WORDS["background"]))
    for name in ATTRIBUTES:
        assert getattr(maps, name).shape == (2, len(WORDS[name]), *cells)


def test_probabilities_follow_the_words(judge: Judge) -> None:
    def at(*phrases: str | Phrase) -> list[float]:
        found = judge.present([PICTURE], phrases)
        assert found.dtype == np.float32
        assert ((found >= 0) & (found <= 1)).all()
        return [float(value) for value in found[0]]

    narrowing = at("thing", "warm thing", "red thing", "red star", "large red star", "large striped red star")
    assert narrowing == sorted(narrowing, reverse=True)
    assert len(set(narrowing)) == len(narrowing)
    assert at("big crimson discs")[0] == at(Phrase(size="large", color="red", shape="circle"))[0]
    grounds = at(*(f"{word} background" for word in WORDS["background"]))
    assert sum(grounds) == pytest.approx(1)
    assert at("textured background")[0] == pytest.approx(grounds[3] + grounds[4])


def test_presence_is_one_minus_the_chance_that_nothing_matches(judge: Judge) -> None:
    reading = reading_of(
        (0.9, "large", "solid", "red", "star"),
        (0.5, "small", "solid", "red", "ring"),
        (0.2, "small", "dotted", "blue", "star"),
        background="wavy",
    )
    phrases = ["thing", "red thing", "star", "blue star", "blue ring", "wavy background", "dark background"]
    expected = [1 - 0.1 * 0.5 * 0.8, 1 - 0.1 * 0.5, 1 - 0.1 * 0.8, 0.2, 0, 1, 0]
    assert judge.presence(reading, phrases)[0].tolist() == pytest.approx(expected)


def test_a_matrix_is_the_same_however_its_pictures_are_grouped(judge: Judge) -> None:
    crops = [PICTURE, PICTURE.crop((10, 20, 50, 41)), PICTURE.crop((0, 0, 16, 16)), PICTURE.rotate(90)]
    phrases = ["red star", "dark background"]
    together = judge.present(crops, phrases)
    assert together.shape == (4, 2)
    for crop, row in zip(crops, together, strict=True):
        assert judge.present([crop], phrases)[0] == pytest.approx(row, abs=1e-5)
    assert judge.present(crops, []).shape == (4, 0)
    assert judge.present([], phrases).shape == (0, 2)


def test_it_is_a_concept_judge(judge: Judge) -> None:
    anyone: ConceptJudge = judge
    assert anyone.present([PICTURE], ["thing"]).shape == (1, 1)


def test_what_it_cannot_judge_is_refused(judge: Judge) -> None:
    with pytest.raises(UserError, match=r"^`elephant` in `red elephant` is not a known word\.$"):
        judge.present([PICTURE], ["red elephant"])
    with pytest.raises(UserError, match="`15×40` pixels is too small") as caught:
        judge.present([Image.new("RGB", (15, 40))], ["star"])
    assert "at least 16×16" in caught.value.hint


def test_saving_and_loading_keeps_the_judge(judge: Judge, tmp_path: Path) -> None:
    judge.save(tmp_path / "one")
    loaded = Judge.load(tmp_path / "one")
    loaded.save(tmp_path / "two")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    stored = load_file(tmp_path / "one" / "model.safetensors")
    assert {value.dtype for value in stored.values()} == {torch.float16}
    assert {value.dtype for value in loaded.parameters()} == {torch.float32}
    phrases = ["thing", "red star", "dark background"]
    difference = loaded.present([PICTURE], phrases) - judge.present([PICTURE], phrases)
    assert np.abs(difference).max() < 0.01


def test_a_folder_without_a_judge_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"config\.json` does not exist") as caught:
        Judge.load(tmp_path)
    assert "experiments.tableau.train judge" in caught.value.hint


@settings(max_examples=25, deadline=None)
@given(scenes)
def test_every_thing_of_a_whole_picture_is_labeled_at_its_center(scene: Scene) -> None:
    drawn = masks(scene)
    labels = label(scene, drawn)
    near = np.zeros(labels.cells.shape[1:], dtype=bool)
    for thing, (y, x) in zip(scene.things, centers(drawn, WHOLE), strict=True):
        row, column = int(y) // STRIDE, int(x) // STRIDE
        assert labels.cells[0, row, column] == 1
        for readout, name in enumerate(ATTRIBUTES, start=1):
            assert WORDS[name][labels.cells[readout, row, column]] == getattr(thing, name)
        down, right = ((np.arange(SIDE // STRIDE) + 0.5) * STRIDE - at for at in (y, x))
        near |= np.hypot(down[:, None], right[None, :]) <= (AROUND + 1e-6) * STRIDE
    assert (labels.cells[0][~near] == 0).all()
    assert WORDS["background"][labels.background] == scene.background


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000), st.integers(16, 112), st.integers(16, 112), st.integers(0, 96), st.integers(0, 96)
)
def test_a_crop_has_centers_just_when_it_shows_things(
    seed: int, height: int, width: int, top: int, left: int
) -> None:
    scene = random_scene(seed)
    drawn = masks(scene)
    box = Box(min(top, SIDE - height), min(left, SIDE - width), height, width)
    labels = label(scene, drawn, box)
    assert labels.cells.shape == (5, -(-height // STRIDE), -(-width // STRIDE))
    assert (labels.cells[0] == 1).any() == shown(drawn, box).any()


def test_a_crop_shows_a_thing_that_is_half_there_or_fills_a_quarter_of_it() -> None:
    drawn = masks(SCENE)
    assert shown(drawn, WHOLE).tolist() == [True, True]
    assert shown(drawn, Box(0, 0, 60, 60)).tolist() == [True, False]
    assert shown(drawn, Box(32, 32, 16, 16)).tolist() == [True, False]
    assert shown(drawn, Box(0, 0, 112, 30)).tolist() == [False, False]


def test_labels_leave_open_what_cannot_be_seen() -> None:
    inside = label(SCENE, masks(SCENE), Box(32, 32, 16, 16))
    assert inside.background == NONE
    shrunken = Scene("gray", (replace(RED_STAR, shrink=0.8),))
    size, color = label(shrunken, masks(shrunken)).cells[[1, 3]]
    assert (size == NONE).all()
    assert (color != NONE).any()


def test_a_step_is_always_the_same() -> None:
    one, again, other = (
        batch_of(3, stage=6, rows=4),
        batch_of(3, stage=6, rows=4),
        batch_of(4, stage=6, rows=4),
    )
    assert torch.equal(one.pixels, again.pixels)
    assert torch.equal(one.cells, again.cells)
    assert one.pixels.shape != other.pixels.shape or not torch.equal(one.pixels, other.pixels)
    assert float(one.pixels.abs().max()) <= 1


def test_the_judge_learns_every_style() -> None:
    assert {scene.style for scene in styled([SCENE] * 40, np.random.default_rng(0))} == set(STYLES)


def test_a_few_steps_lower_the_loss() -> None:
    trainee = JudgeTrainee(0)
    scenes = [replace(SCENE, light=Light(level=0.9 + 0.05 * number)) for number in range(4)]
    batch = judge_batch(scenes, np.random.default_rng(0), (48, 48))
    [stage] = stages(trainee, 1.0)
    optimizer = torch.optim.AdamW(trainee.parameters(), lr=stage.rates["judge"])
    losses = []
    for _ in range(12):
        outcome = stage.loss(batch)
        outcome.loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(outcome.loss.detach()))
    assert losses[-1] < 0.6 * losses[0]
    assert set(outcome.figures) == {"center loss", *ATTRIBUTES, "background"}


def test_a_batch_without_things_has_a_loss_too() -> None:
    batch = judge_batch([Scene("light")], np.random.default_rng(0))
    outcome = JudgeTrainee(0).step(batch)
    outcome.loss.backward()
    assert torch.isfinite(outcome.loss)


def test_the_examination_counts_every_thing_and_asks_fairly(judge: Judge) -> None:
    right = examine(judge, 6)
    assert len(right["background"]) == 6
    assert len(right["recall"]) >= len(right["color"])
    assert len(right["phrases"]) % 2 == 0
    assert {"recall", "precision", "background", "phrases", "crops"} <= set(right)
