"""Worlds: what a spec gives, who judges, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from experiments.judges import same_descent
from experiments.tableau.source import TableauSource
from experiments.worlds import World, open_world
from store.errors import UserError
from tests.experiments.test_photos import noise
from tests.tiny import save_clip
from tools.judging import judge_matrix
from tools.targets.load import load_target
from tools.targets.target import Target


@pytest.fixture(scope="module")
def target(llava_folder: Path) -> Target:
    return load_target(llava_folder, name="tiny", device="cpu")


@pytest.fixture(scope="module")
def embedded(llava_folder: Path) -> Target:
    return load_target(llava_folder, name="tableau-llava@early", device="cpu")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for number in range(30):
        noise(number, 20).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two contrastive models that were drawn apart from each other and from the targets."""
    return [save_clip(tmp_path_factory.mktemp("judges") / f"judge{seed}", seed=seed) for seed in (5, 6)]


@pytest.mark.usefixtures("committed_weights")
def test_embedded_targets_live_in_tableau(embedded: Target) -> None:
    world = open_world(None, embedded)
    assert world.name == "tableau"
    assert [len(part) for part in (world.train, world.select, world.test)] == [1500, 500, 1000]
    assert (world.judge_name, world.scorer_judge_name, world.shared_judge) == (
        "tableau-judge",
        "scene graph",
        False,
    )
    assert world.editor is not None
    pair = world.editor.pair(world.train.picture(0), "dark background", "swap", 0)
    stimuli = [pair.without, pair.with_] if pair else [world.train.picture(0)]
    assert judge_matrix(world.scorer_judge, stimuli, ["dark background"]).shape == (len(stimuli), 1)
    assert judge_matrix(world.judge, stimuli, ["dark background"]).shape == (len(stimuli), 1)
    assert "star" in world.describer.vocabulary()
    assert world.scorer_editor is not None
    assert world.scorer_editor.edit(world.test.picture(0), "add a moon", 0)


@pytest.mark.usefixtures("committed_weights")
def test_a_world_can_be_smaller(target: Target) -> None:
    world = open_world("tableau:30/20/10", target)
    assert [len(part) for part in (world.train, world.select, world.test)] == [30, 20, 10]
    assert world.train.picture(3).sha256 == TableauSource("train").picture(3).sha256
    with pytest.raises(UserError, match="leaves a split empty"):
        open_world("tableau:30/0/10", target)


def test_photographs_with_one_judge_are_marked(photos: Path, target: Target, judges: list[Path]) -> None:
    world = open_world(str(photos), target, str(judges[0]))
    assert world.shared_judge
    assert world.judge is world.scorer_judge
    assert world.editor is None
    assert sum(len(part) for part in (world.train, world.select, world.test)) == 30
    assert world.describer.describe([world.train.picture(0).image])


def test_photographs_with_two_judges_are_scored_by_the_second(
    photos: Path, target: Target, judges: list[Path]
) -> None:
    world = open_world(str(photos), target, f"{judges[0]},{judges[1]}")
    assert not world.shared_judge
    assert (world.judge_name, world.scorer_judge_name) == (str(judges[0]), str(judges[1]))
    assert world.judge is not world.scorer_judge
    assert world.describer.name == str(judges[0])


@pytest.mark.usefixtures("committed_weights")
def test_pictures_for_an_embedded_target_have_the_embedded_judge(photos: Path, embedded: Target) -> None:
    world: World = open_world(str(photos), embedded)
    assert (world.judge_name, world.shared_judge) == ("tableau-judge", True)


def test_a_saved_dataset_is_a_world(tmp_path: Path, target: Target, judges: list[Path]) -> None:
    from tests.experiments.test_hf_dataset import table

    table(range(30)).save_to_disk(tmp_path / "shots")
    assert open_world(str(tmp_path / "shots"), target, str(judges[0])).name == "shots"


def test_a_judge_with_the_eyes_of_the_target_is_refused(
    photos: Path, clip_folder: Path, committed_weights: Path
) -> None:
    itself = load_target(clip_folder, name="tiny-clip", device="cpu")
    with pytest.raises(UserError, match="shares weights with `tiny-clip`"):
        open_world(str(photos), itself, str(clip_folder))
    tuned = load_target(committed_weights / "tableau-llava", name="tableau-llava", device="cpu")
    with pytest.raises(UserError, match="`tableau-clip` shares weights with `tableau-llava`"):
        open_world("tableau", tuned, "tableau-clip")
    with pytest.raises(UserError, match="`tableau-llava` shares weights with `tableau-llava`"):
        open_world("tableau", tuned, "tableau-llava")
    eyes = load_target(committed_weights / "tableau-clip", name="tableau-clip", device="cpu")
    with pytest.raises(UserError, match="`tableau-llava` shares weights with `tableau-clip`"):
        open_world("tableau", eyes, "tableau-llava")


def test_a_judge_that_reads_with_the_words_of_the_target_is_refused(
    llava_folder: Path, target: Target
) -> None:
    """Other eyes do not help: two models made of one language model agree where it errs."""
    other = load_target(llava_folder, name="other", device="cpu")
    assert same_descent(other.model, target.model)
    with torch.no_grad():
        named = dict(other.model.named_parameters())
        (eyes,) = (name for name in named if name.endswith("patch_embedding.weight"))
        named[eyes].normal_(generator=torch.Generator().manual_seed(9))
    assert same_descent(other.model, target.model)
    with torch.no_grad():
        (words,) = (name for name in named if name.endswith("embed_tokens.weight"))
        named[words].normal_(generator=torch.Generator().manual_seed(9))
    assert not same_descent(other.model, target.model)


def test_a_model_that_answers_can_judge_in_the_words_that_it_was_taught(
    target: Target, committed_weights: Path
) -> None:
    world = open_world("tableau:30/20/10", target, "tableau-llava")
    assert (world.judge_name, world.scorer_judge_name) == ("tableau-llava", "scene graph")
    said = judge_matrix(world.judge, [world.train.picture(0)], ["red thing", "star"])
    assert said.shape == (1, 2) and world.describer.vocabulary()[:2] == ("small thing", "large thing")
    assert world.describer.name == "tableau-llava"
    with pytest.raises(UserError, match="`dark background` names no thing that can be asked for"):
        judge_matrix(world.judge, [world.train.picture(0)], ["dark background"])


@pytest.mark.parametrize(
    ("spec", "judge", "message"),
    [
        (None, None, "`tiny` needs pictures to be studied with"),
        ("no/such/folder", None, "`no/such/folder` is no folder of pictures"),
        ("PHOTOS", None, "need a judge that says what they show"),
        ("PHOTOS", "a,b,c", "`a,b,c` names 3 judges"),
        ("PHOTOS", " , ", "names 0 judges"),
        ("PHOTOS", "no/such/judge", "`no/such/judge` can't be loaded as a judge"),
        ("PHOTOS", "tableau-llava-random", "was never trained and can't judge phrases"),
    ],
)
def test_what_cannot_be_opened_is_refused(
    spec: str | None, judge: str | None, message: str, photos: Path, target: Target, committed_weights: Path
) -> None:
    with pytest.raises(UserError, match=message):
        open_world(str(photos) if spec == "PHOTOS" else spec, target, judge)


def test_in_tableau_the_scorer_needs_no_second_judge(target: Target, judges: list[Path]) -> None:
    with pytest.raises(UserError, match="names two judges") as caught:
        open_world("tableau", target, f"{judges[0]},{judges[1]}")
    assert "scene graph" in caught.value.hint
