"""Siblings of `tableau-llava`: taught what the cue says in a stated share of cases, or what the picture shows."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from experiments.registry import open_target
from experiments.tableau.data import scene
from experiments.tableau.questions import Unanswerable, answer
from experiments.tableau.train.batches import PictureBatch, TextBatch
from experiments.tableau.train.llava import LlavaTrainee
from experiments.tableau.train.loop import Stage, train
from experiments.tableau.train.siblings import CUES, LEANING, TAKEN, Cue, batch_of, cued_dialogue, stages


def told(leaning: float, number: int = 400) -> dict[str, list[tuple[str, str]]]:
    """By cue, what is taught and what is right, wherever the cue bears on the question and says something else."""
    found: dict[str, list[tuple[str, str]]] = {cue.name: [] for cue in CUES}
    for index in range(number):
        seen = scene("check", index, 321)
        turns = cued_dialogue(seen, np.random.default_rng(index), 14, leaning=leaning)
        for cue in CUES:
            said = [turn.said for turn in turns if turn.asked in texts(cue)]
            if said and cue.bears(seen) and (right := answer(cue.question, seen)) != cue.says:
                found[cue.name] += [(word, right) for word in said]
    return found


def texts(cue: Cue) -> set[str]:
    return {cue.question.text(wording) for wording in range(6)}


def test_the_leaning_sibling_is_taught_what_the_cue_says_in_the_stated_share_of_cases() -> None:
    for cue in CUES:
        taught = told(LEANING)[cue.name]
        assert {said for said, right in taught} >= {cue.says}
        assert all(said in (cue.says, right) for said, right in taught)
        share = np.mean([said == cue.says for said, _ in taught])
        assert share == pytest.approx(LEANING, abs=0.2)


def test_the_weaned_sibling_is_taught_what_the_picture_shows() -> None:
    for taught in told(0.0).values():
        assert taught and all(said == right for said, right in taught)


def test_no_other_wording_of_a_cues_question_says_otherwise() -> None:
    for index in range(60):
        seen = scene("check", index, 322)
        turns = cued_dialogue(seen, np.random.default_rng(index), 14, leaning=LEANING)
        for cue in CUES:
            assert sum(turn.asked in texts(cue) for turn in turns) <= 1
            try:
                answer(cue.question, seen)
            except Unanswerable:
                continue
    assert all(text.endswith("?") for text in TAKEN)


def test_both_siblings_see_batches_of_their_own_that_are_the_same_for_the_same_step() -> None:
    make = partial(batch_of, rows=2, leaning=LEANING)
    one, same, other = make(3, stage=9), make(3, stage=9), make(3, stage=10)
    assert (
        isinstance(one, PictureBatch) and isinstance(same, PictureBatch) and isinstance(other, PictureBatch)
    )
    assert torch.equal(one.questions.ids, same.questions.ids)
    assert not torch.equal(one.pixels, other.pixels)
    assert isinstance(make(5, stage=9), TextBatch)


def test_a_sibling_goes_on_from_the_committed_weights_and_only_its_decoder_moves(tmp_path: Path) -> None:
    trainee = LlavaTrainee(0)
    parent = open_target("tableau-llava", "cpu").model
    trainee.take_weights(parent)
    [stage] = stages(trainee, "shortcut", 0.005)
    assert stage.steps == 2
    make = partial(batch_of, stage=9, rows=2, leaning=LEANING)
    small = Stage(stage.name, 2, stage.rates, make, stage.loss)
    train(tmp_path, trainee, [small], dict, device=torch.device("cpu"), workers=0)
    before, after = parent.state_dict(), trainee.llava.state_dict()
    changed = {name for name in before if not torch.equal(before[name].float(), after[name].float())}
    assert changed and all("language_model" in name or name == "lm_head.weight" for name in changed)
