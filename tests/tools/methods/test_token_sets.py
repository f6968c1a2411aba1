"""Sets of visual tokens, windows of layers and shares of tokens: by hand, without any model."""

from __future__ import annotations

import numpy as np
import pytest

from tools.methods.retold import empty_share, named_in
from tools.methods.token_knockout import by_word, chances, last_row
from tools.methods.token_lens import best, shares
from tools.methods.token_sets import (
    CONTROL,
    GRADIENTS,
    TooCrowded,
    add_gradients,
    as_many,
    cover,
    drawn,
    highest,
    registers,
    ringed,
    sets_of,
    tokens_of,
)
from tools.methods.windows import PAPER, scaled, sliding
from tools.targets.adapter import Grid


def grid(side: int, patch: int = 4) -> Grid:
    row, column = np.divmod(np.arange(side * side), side)
    corners = np.stack([column, row, column + 1, row + 1], axis=1) * float(patch)
    return Grid(side, side, corners)


def alone(side: int, *places: int) -> np.ndarray:
    tokens = np.zeros(side * side, dtype=bool)
    tokens[list(places)] = True
    return tokens


def test_a_token_is_covered_by_the_share_of_its_pixels_that_a_mask_fills() -> None:
    mask = np.zeros((8, 8), dtype=bool)
    mask[0:4, 0:6] = True
    assert cover(mask, grid(2)).tolist() == [1.0, 0.5, 0.0, 0.0]
    assert tokens_of(mask, grid(2), share=0.6).tolist() == [True, False, False, False]


def test_a_thing_that_fills_no_token_has_the_fullest_and_one_that_none_shows_has_none() -> None:
    mask = np.zeros((8, 8), dtype=bool)
    mask[0, 5] = True
    assert tokens_of(mask, grid(2)).tolist() == [False, True, False, False]
    assert not tokens_of(np.zeros((8, 8), dtype=bool), grid(2)).any()


def test_rings_are_of_eight_neighbours_and_end_at_the_edge_of_the_picture() -> None:
    assert ringed(alone(5, 12), grid(5), 1).sum() == 9
    assert ringed(alone(5, 12), grid(5), 2).all()
    corner = ringed(alone(5, 0), grid(5), 1)
    assert np.flatnonzero(corner).tolist() == [0, 1, 5, 6]
    assert ringed(alone(5, 4), grid(5), 1).sum() == 4


def test_registers_are_norms_beyond_two_standard_deviations() -> None:
    norms = np.array([1.0] * 15 + [9.0])
    assert np.flatnonzero(registers(norms)).tolist() == [15]
    assert not registers(np.ones(16)).any()


def test_every_set_has_a_control_of_as_many_tokens_outside_the_second_ring() -> None:
    thing = alone(12, 65, 66)
    norms = np.ones(144)
    norms[3] = 20
    sets = sets_of(thing, grid(12), norms, np.random.default_rng(0))
    add_gradients(sets, np.arange(144.0))
    for name, control in CONTROL.items():
        assert sets[name].sum() == sets[control].sum()
        assert not (sets[control] & sets["object+2"]).any()
    assert sets["object+1"].sum() == 12 and sets["object+2"].sum() == 30
    assert all(sets[name].sum() == sets[like].sum() for name, like in GRADIENTS.items())
    assert np.flatnonzero(sets["gradients"]).tolist() == [142, 143]


def test_a_thing_whose_rings_leave_too_few_tokens_is_refused() -> None:
    with pytest.raises(TooCrowded, match="fewer than the"):
        sets_of(alone(4, 5), grid(4), np.ones(16), np.random.default_rng(0))
    with pytest.raises(TooCrowded):
        drawn(alone(2, 1), 2, np.random.default_rng(0))


def test_random_tokens_wherever_they_lie_are_as_many_and_differ_by_chance() -> None:
    tokens = alone(6, 1, 2, 3)
    found = [as_many(tokens, np.random.default_rng(seed)) for seed in range(8)]
    assert {int(one.sum()) for one in found} == {3} and len({one.tobytes() for one in found}) > 1
    assert np.flatnonzero(highest(np.array([1.0, 3.0, 2.0]), 2)).tolist() == [1, 2]


def test_the_papers_windows_are_its_own_at_its_depth_and_never_empty_elsewhere() -> None:
    assert {one.name: (one.first, one.last) for one in scaled(32)} == PAPER | {"all": (0, 31)}
    for depth in range(1, 80):
        for one in scaled(depth):
            assert 0 <= one.first <= one.last < depth
    assert [(one.first, one.last) for one in scaled(6)] == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 5)]


def test_sliding_windows_cover_every_layer_and_are_not_wider_than_the_decoder() -> None:
    assert [(one.first, one.last) for one in sliding(4, 2)] == [(0, 1), (1, 2), (2, 3)]
    assert len(sliding(32)) == 28 and len(sliding(6)) == 6
    with pytest.raises(ValueError, match="wider"):
        sliding(4, 5)


def test_a_text_without_words_names_nothing() -> None:
    assert not named_in("", ["dog"]) and not named_in("  \n", ["dog"])
    assert named_in("A Dog, asleep.", ["dog"]) and named_in("two dogs", ["dog", "dogs"])
    assert not named_in("a hotdog stand", ["dog"])
    assert named_in("a stop sign.", ["stop sign"]) and not named_in("stop the sign", ["stop sign"])
    assert empty_share(["", "a dog", " "]) == pytest.approx(2 / 3)


@pytest.mark.parametrize("words", [[], [""], ["dog", " "]])
def test_an_empty_word_is_refused_since_every_text_would_hold_it(words: list[str]) -> None:
    with pytest.raises(ValueError, match="can't be searched"):
        named_in("a dog", words)


def test_an_answer_is_right_where_its_own_word_leads_and_as_likely_as_its_softmax() -> None:
    logits = np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]))
    told = by_word([0, 1])(logits, np.array([0, 1]))
    assert told.right.tolist() == [True, False]
    assert told.chance == pytest.approx([0.7, 0.3]) and chances(logits, [2, 2]) == pytest.approx([0.1, 0.6])
    assert np.flatnonzero(last_row(grid(3))).tolist() == [6, 7, 8]


def test_the_best_site_is_each_items_own_and_chance_is_what_other_words_reach_at_theirs() -> None:
    """Two items of four tokens and three sites: item 0's word is 7, item 1's is 9."""
    first = np.array([[0, 0, 0, 0], [7, 7, 7, 0], [9, 7, 7, 0]])
    second = np.array([[9, 0, 0, 0], [0, 0, 0, 0], [9, 9, 7, 7]])
    words, labels = [first, second], [frozenset({7}), frozenset({9})]
    assert shares(words, labels).tolist() == [[0, 0.75, 0.5], [0.25, 0, 0.5]]
    found = best(words, labels, seed=0)
    assert found.share.tolist() == [0.75, 0.5] and found.depth.tolist() == [0.5, 1.0]
    assert found.chance.tolist() == [0.25, 0.5]


def test_a_thing_whose_word_is_never_pointed_to_has_no_depth_and_one_word_alone_no_chance() -> None:
    nothing = np.zeros((3, 4), dtype=int)
    found = best([nothing, nothing], [frozenset({7})] * 2, seed=0)
    assert found.share.tolist() == [0, 0]
    assert np.isnan(found.depth).all() and np.isnan(found.chance).all()
