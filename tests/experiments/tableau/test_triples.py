"""Triples for the editor: what is asked for in any wording is exactly what the scene after it shows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from experiments.tableau.captions import caption
from experiments.tableau.data import SOURCES
from experiments.tableau.inside.units import STREAM as UNITS_STREAM
from experiments.tableau.instructions import follow
from experiments.tableau.judge_check import STREAM as JUDGE_STREAM
from experiments.tableau.pairing import held_out
from experiments.tableau.pix2pix import WORDS_AT_MOST, instruction_tokenizer
from experiments.tableau.prompt import read_prompt
from experiments.tableau.sampler import sample
from experiments.tableau.train.vae import STREAM
from experiments.tableau.trial_edits import STREAM as CHECKED_STREAM
from experiments.tableau.triples import EDIT_KINDS, EditKind, Triple, triple, triples

LEARNED: list[Triple] = [one for seed in range(120) for one in triples(seed, STREAM, 6)]


def test_every_kind_of_edit_is_learned() -> None:
    found = Counter(one.kind for one in LEARNED)
    assert set(found) == set(EDIT_KINDS)
    assert min(found.values()) >= 20


@pytest.mark.parametrize("kind", [kind for kind in EDIT_KINDS if kind not in ("add", "draw")])
def test_every_wording_asks_for_the_scene_after(kind: EditKind) -> None:
    for one in LEARNED:
        if one.kind == kind:
            for wording in one.wordings:
                assert follow(one.before, wording, np.random.default_rng(1)).scene == one.after


def test_an_addition_leaves_all_else_and_every_wording_is_understood() -> None:
    for one in LEARNED:
        if one.kind == "add":
            assert one.after.things[:-1] == one.before.things
            for wording in one.wordings:
                assert len(follow(one.before, wording, np.random.default_rng(1)).scene.things) == len(
                    one.after.things
                )


def test_a_drawing_shows_what_its_prompt_names_and_nothing_else() -> None:
    for one in LEARNED:
        if one.kind == "draw":
            wish = read_prompt(one.wordings[0].removeprefix("draw "))
            assert wish.things is not None
            assert len(wish.things) == len(one.after.things)
            for concept, thing in zip(wish.things, one.after.things, strict=True):
                assert concept.matches(thing)
            named = wish.backgrounds if len(wish.backgrounds) == 1 else (one.before.background,)
            assert one.after.background in named


def test_the_same_seed_gives_the_same_triples() -> None:
    assert list(triples(5, STREAM, 6)) == list(triples(5, STREAM, 6))


def test_no_pair_that_is_held_out_comes_about() -> None:
    assert not any(held_out(thing) for one in LEARNED for thing in one.after.things)


def test_an_edit_that_a_scene_does_not_allow_is_none() -> None:
    bare = next(seen for seen in (sample(seed, "balanced") for seed in range(200)) if not seen.things)
    assert triple(bare, "color", np.random.default_rng(0)) is None, caption(bare)


def test_every_word_is_known_and_every_instruction_fits() -> None:
    tokenizer = instruction_tokenizer()
    unknown = tokenizer.unk_token_id
    for one in LEARNED:
        for wording in one.wordings:
            ids = tokenizer(wording).input_ids
            assert unknown not in ids, wording
            assert len(ids) <= WORDS_AT_MOST, wording


def test_wording_does_not_depend_on_case_or_punctuation() -> None:
    tokenizer = instruction_tokenizer()
    assert tokenizer("Make the red star, blue!").input_ids == tokenizer("make the red star blue").input_ids


def test_no_other_part_of_the_world_has_the_scenes_of_the_editor() -> None:
    taken = [source.stream for source in SOURCES.values()]
    assert len({STREAM, CHECKED_STREAM, JUDGE_STREAM, UNITS_STREAM, *taken}) == 4 + len(set(taken))
