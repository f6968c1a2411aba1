"""What an edit means: an instruction that fits nothing else, phrases that come, go and stay, pixels that may change."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.tableau.concepts import holds, read_concept
from experiments.tableau.data import scene
from experiments.tableau.edit import Move, Recolor, Remove, Reshape, SetBackground, edit
from experiments.tableau.instructions import follow
from experiments.tableau.intents import TableauIntents, changes, instruction_for, region_of_change
from experiments.tableau.recall import recall
from experiments.tableau.scene import Scene, Thing
from experiments.tableau.source import TableauSource, painted
from store.errors import UserError

RED_STAR = Thing("star", "red", "solid", "large", 30, 30)
BLUE_STAR = Thing("star", "blue", "dotted", "small", 80, 80)
RING = Thing("ring", "red", "striped", "small", 80, 28)
SEEN = Scene("dark", (RED_STAR, BLUE_STAR, RING))


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (edit(SEEN, Recolor(0, "green")), "make the red star green"),
        (edit(SEEN, Reshape(2, "moon")), "turn the ring into a moon"),
        (edit(SEEN, Remove(1)), "remove the blue star"),
        (replace(SEEN, things=(RING,)), "remove all stars"),
        (replace(SEEN, things=()), "remove everything"),
        (edit(SEEN, SetBackground("wavy")), "make the background wavy"),
        (
            replace(SEEN, things=(*SEEN.things, replace(RING, x=30, y=84))),
            "add a small striped red ring in the",
        ),
    ],
)
def test_the_change_between_two_scenes_is_put_into_words(after: Scene, told: str) -> None:
    instruction = instruction_for(SEEN, after)
    assert instruction is not None and instruction.startswith(told)


def test_every_worded_pair_is_what_the_exact_grammar_makes_of_the_same_words() -> None:
    """Where the words leave nothing open, following them gives the very scene that was meant."""
    intents, source, compared = TableauIntents(), TableauSource("train", 60), 0
    for number in range(60):
        shown = source.picture(number)
        seen = recall(shown.key).scene
        for change in ("remove", "swap"):
            for thing in seen.things:
                planned = intents.pair(shown, f"{thing.color} {thing.shape}", change, number)
                if planned is None:
                    continue
                followed = follow(seen, planned.intent.instruction, np.random.default_rng(0))
                assert followed.scene == recall(planned.after.key).scene
                compared += 1
    assert compared > 100


def test_a_thing_with_a_twin_can_not_be_meant() -> None:
    twins = Scene("dark", (RED_STAR, replace(RED_STAR, x=80, y=80)))
    assert instruction_for(twins, edit(twins, Recolor(0, "green"))) is None
    assert instruction_for(twins, edit(twins, Remove(0))) is None


def test_two_changes_at_once_have_no_instruction() -> None:
    both = edit(edit(SEEN, Recolor(0, "green")), Reshape(2, "moon"))
    assert instruction_for(SEEN, both) is None
    assert instruction_for(SEEN, edit(edit(SEEN, Recolor(0, "green")), SetBackground("gray"))) is None


def test_a_move_has_no_instruction_that_says_where_to() -> None:
    assert instruction_for(SEEN, edit(SEEN, Move(1, 60, 84))) is None


def test_phrases_come_and_go_with_the_truth_and_the_others_stay() -> None:
    after = edit(SEEN, Recolor(0, "green"))
    come, gone, kept = changes(SEEN, after)
    assert set(come) == {"green thing", "green star"} and set(gone) == {"red star"}
    assert "red thing" in kept and "star" in kept and "dark background" in kept
    for phrase in kept:
        assert holds(read_concept(phrase), SEEN) == holds(read_concept(phrase), after)


def test_the_region_holds_every_pixel_that_the_exact_edit_changes() -> None:
    for after in (
        edit(SEEN, Recolor(0, "green")),
        edit(SEEN, Reshape(2, "moon")),
        edit(SEEN, Remove(1)),
        edit(SEEN, SetBackground("light")),
    ):
        differs = (np.asarray(painted(SEEN)) != np.asarray(painted(after))).any(axis=-1)
        region = region_of_change(SEEN, after)
        # an outlined or shaded thing lays a soft edge of one pixel upon its background
        assert (differs & ~_widened(region)).sum() == 0
        assert region.mean() < 0.1 or after.background != "dark"


def test_an_added_thing_may_lie_anywhere_in_its_quarter_where_nothing_is() -> None:
    after = replace(SEEN, things=(*SEEN.things, replace(RING, x=30, y=84)))
    region = region_of_change(SEEN, after)
    assert region[70, 10] and not region[30, 30] and not region[84, 84]


def test_a_prompt_asks_for_what_it_says_and_leaves_the_rest_open() -> None:
    planned = TableauIntents().generate("a red star and two rings", 5)
    assert set(planned.intent.come) == {"star", "red star", "ring"}
    assert planned.intent.region is None and planned.intent.instruction == "draw a red star and two rings"


def test_sealed_pictures_are_not_edited() -> None:
    with pytest.raises(UserError, match="not a picture of `train`"):
        TableauIntents("train").pair(TableauSource("test", 4).picture(0), "star", "add", 0)


def test_scenes_of_the_world_are_what_the_words_were_made_for() -> None:
    """Of single changes of the world's own scenes at least nine in ten can be put into words."""
    intents, source = TableauIntents(), TableauSource("train", 80)
    tried = worded = 0
    for number in range(80):
        things = scene("train", number).things
        for thing in things[:1]:
            pair = intents.exact.pair(source.picture(number), f"{thing.color} {thing.shape}", "swap", number)
            if pair is not None:
                tried += 1
                planned = intents.pair(source.picture(number), f"{thing.color} {thing.shape}", "swap", number)
                worded += planned is not None
    assert tried > 30 and worded / tried >= 0.9


def _widened(mask: np.ndarray) -> np.ndarray:
    padded = np.pad(mask, 1)
    return np.logical_or.reduce(
        [
            padded[1 + y : padded.shape[0] - 1 + y, 1 + x : padded.shape[1] - 1 + x]
            for y in (-1, 0, 1)
            for x in (-1, 0, 1)
        ]
    )
