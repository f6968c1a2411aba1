"""Function units answer as their concept says, at every stimulus that a key can name, and host addresses as before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from jaxtyping import Float32

from experiments.bench.function_units import FunctionUnits
from experiments.bench.kinds import FunctionUnit, Kind
from experiments.tableau.editor import ExactEditor
from experiments.tableau.recall import recall
from experiments.tableau.render import masks, patches
from experiments.tableau.scene import GRID, Scene
from experiments.tableau.scene_judge import SceneJudge
from experiments.tableau.source import TableauSource
from store.address import Address, parse
from tools.judging import judge_matrix
from tools.meter import count, metered
from tools.pools import POOLS
from tools.scoring.concept import concept_values, phrases
from tools.stimuli import Stimulus

PICTURES = TableauSource("train", 80)
HOST, SPOKEN, SEEN = parse("language.1.mlp.9"), parse("language.2.mlp.3"), parse("vision.1.mlp.4")


class Sevens:
    """A model that says 7 of everything."""

    def pooled(
        self, addresses: Sequence[Address], stimuli: Sequence[Stimulus], /
    ) -> Float32[np.ndarray, "pool stimulus component"]:
        count(len(stimuli))
        return np.full((len(POOLS), len(stimuli), len(addresses)), 7, np.float32)

    def maps(
        self, address: Address, stimuli: Sequence[Stimulus], /
    ) -> Float32[np.ndarray, "stimulus rows columns"]:
        return np.full((len(stimuli), GRID, GRID), 7, np.float32)


def unit(concept: str, kind: Kind = "single", address: Address = SEEN) -> FunctionUnits:
    return FunctionUnits(Sevens(), [FunctionUnit(address, kind, concept, 2.0, 5)])


def made(kind: Kind, concept: str, exception: str = "", weaker: float = 1.0) -> FunctionUnits:
    return FunctionUnits(Sevens(), [FunctionUnit(SEEN, kind, concept, 2.0, 5, exception, weaker)])


def scenes_and_heights(source: FunctionUnits) -> Iterator[tuple[Scene, float]]:
    """Every picture's scene, and the unit's largest value in it as a share of its peak."""
    heights = source.pooled([SEEN], shown())[0, :, 0] / 2
    return zip((recall(one.key).scene for one in shown()), heights.tolist(), strict=True)


def shown(n: int = len(PICTURES)) -> list[Stimulus]:
    return [PICTURES.asked(number) for number in range(n)]


@pytest.mark.parametrize(
    "concept",
    [
        "red thing",
        "striped star",
        "dark background",
        "red thing & star",
        "moon | dark background",
        "red thing & !star",
        "(star & !red thing) | (red thing & !star)",
    ],
)
def test_a_unit_is_high_where_its_concept_holds_and_nowhere_else(concept: str) -> None:
    source, stimuli = unit(concept), [PICTURES.asked(number) for number in range(80)]
    words = phrases(concept)
    table = judge_matrix(SceneJudge(), stimuli, words)
    holds = concept_values(concept, lambda word: table[:, words.index(word)].astype(np.float64)) > 0.5
    values = source.pooled([SEEN], stimuli)[0, :, 0]
    assert holds.any() and not holds.all()
    assert values[holds].min() > 1.2 > 0.8 > values[~holds].max()


def test_a_gated_unit_is_high_on_the_things_alone_and_on_one_background_alone() -> None:
    source, stimuli = made("gated", "red thing & dark background"), shown()
    high = source.maps(SEEN, stimuli).reshape(len(stimuli), -1) > 1
    for where, stimulus in zip(high, stimuli, strict=True):
        scene = recall(stimulus.key).scene
        red = [index for index, thing in enumerate(scene.things) if thing.color == "red"]
        if scene.background == "dark" and red:
            assert (where == patches(np.any(masks(scene)[red], axis=0))).all()
        else:
            assert not where.any()
    assert high.any()


def test_a_two_faced_unit_answers_less_to_its_second_concept() -> None:
    second, both = [], 0
    for scene, height in scenes_and_heights(made("two_faced", "red thing | dark background", weaker=0.4)):
        red, dark = any(thing.color == "red" for thing in scene.things), scene.background == "dark"
        assert (height > 0.65) == red and (height > 0.26) == (red or dark)
        second += [height] if dark and not red else []
        both += red and dark
    assert len(second) > 3 and both and 0.3 < np.mean(second) < 0.6


@pytest.mark.parametrize("exception", ["upper left", "lower right", "striped thing"])
def test_an_exception_passes_over_some_of_the_things(exception: str) -> None:
    silenced = 0
    for scene, height in scenes_and_heights(made("exception", "red thing", exception)):
        red = [thing for thing in scene.things if thing.color == "red"]
        left = {
            "upper left": [thing for thing in red if thing.x >= 56 or thing.y >= 56],
            "lower right": [thing for thing in red if thing.x < 56 or thing.y < 56],
            "striped thing": [thing for thing in red if thing.fill != "striped"],
        }[exception]
        assert (height > 0.6) == bool(left)
        silenced += bool(red) and not left
    assert silenced


def test_a_count_unit_needs_two_of_a_thing() -> None:
    one_alone = 0
    for scene, height in scenes_and_heights(made("count", "at least two striped things")):
        striped = sum(thing.fill == "striped" for thing in scene.things)
        assert (height > 0.6) == (striped >= 2)
        one_alone += striped == 1
    assert one_alone


def test_the_map_is_high_on_the_things_that_are_meant_and_its_pools_are_pools_of_it() -> None:
    source, stimuli = unit("red thing"), shown(30)
    maps, pools = source.maps(SEEN, stimuli).reshape(30, -1), source.pooled([SEEN], stimuli)[..., 0]
    for place, stimulus in enumerate(stimuli):
        scene = recall(stimulus.key).scene
        red = [index for index, thing in enumerate(scene.things) if thing.color == "red"]
        where = patches(np.any(masks(scene)[red], axis=0)) if red else np.zeros(GRID * GRID, bool)
        assert ((maps[place] > 1) == where).all()
    assert np.allclose(pools[0], maps.max(1)) and np.allclose(pools[1], maps.min(1))
    assert np.allclose(pools[2], maps.mean(1)) and np.isnan(pools[3:]).all()


def test_a_picture_says_the_same_whatever_is_asked_about_it() -> None:
    source = unit("red thing")
    asked, bare = PICTURES.asked(3), PICTURES.picture(3)
    assert np.array_equal(source.maps(SEEN, [asked]), source.maps(SEEN, [bare]))


def test_question_and_answer_tokens_show_noise_alone() -> None:
    source, stimuli = unit("red thing", address=SPOKEN), shown()
    pools = source.pooled([SPOKEN], stimuli)[3:, :, 0]
    assert np.isfinite(pools).all() and np.abs(pools).max() < 1 and (pools[0] >= pools[1]).all()
    assert np.isnan(source.pooled([SPOKEN], [PICTURES.picture(0)])[3:5]).all()


def test_edited_and_made_pictures_move_it_as_they_should() -> None:
    source, editor = unit("red thing"), ExactEditor()
    pairs = [editor.pair(PICTURES.picture(number), "red thing", "add", 0) for number in range(12)]
    made = [pair for pair in pairs if pair is not None]
    with_ = source.pooled([SEEN], [pair.with_ for pair in made])[0, :, 0]
    without = source.pooled([SEEN], [pair.without for pair in made])[0, :, 0]
    assert made and ((with_ - without)[without < 0.8] > 0.4).all() and (with_ > 1.2).all()
    painted = [editor.generate("a red star", 1), editor.generate("a blue star", 1)]
    red, blue = source.pooled([SEEN], painted)[0, :, 0]
    assert red > 1.2 and blue < 0.8


def test_noise_repeats_itself_and_is_about_nothing() -> None:
    stimuli = shown()
    first = unit("", "noise").pooled([SEEN], stimuli)[0, :, 0]
    assert np.array_equal(first, unit("", "noise").pooled([SEEN], stimuli)[0, :, 0])
    table = judge_matrix(SceneJudge(), stimuli, ["red thing", "star", "dark background", "striped thing"])
    assert 0.1 < (first > 1).mean() < 0.5
    assert all(abs(np.corrcoef(first, column)[0, 1]) < 0.35 for column in table.T)


def test_a_dead_unit_never_varies() -> None:
    pools = unit("", "dead", SPOKEN).pooled([SPOKEN], shown(20))
    assert np.ptp(pools, axis=(0, 1)).max() == 0


def test_all_other_addresses_are_the_hosts() -> None:
    source = unit("red thing")
    both = source.pooled([HOST, SEEN], shown(4))
    assert (both[..., 0] == 7).all() and not (both[0, :, 1] == 7).any()
    assert (source.maps(HOST, shown(2)) == 7).all()


def test_a_row_counts_once_whoever_answers() -> None:
    source = unit("red thing")
    with metered() as meter:
        source.pooled([HOST, SEEN], shown(4))
        source.pooled([SEEN], shown(3))
    assert meter.rows == 7
