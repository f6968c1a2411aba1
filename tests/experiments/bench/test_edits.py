"""Editors and verifiers are measured where the truth is known: trials, wrong outcomes, shares, and worn pictures."""

import numpy as np
import pytest
from diffusers import StableDiffusionInstructPix2PixPipeline
from PIL import Image

from experiments.bench.edits import try_editor, try_verifier, unworn
from experiments.bench.worn import worn_by
from experiments.registry import open_judge
from experiments.tableau.recall import recall
from experiments.tableau.trial_edits import EDIT_KINDS, outcomes, trials
from store.errors import UserError
from tests.tools.editing.painters import Painter
from tests.tools.editing.pipelines import tiny
from tools.editing.attempts import Attempts
from tools.editing.intent import Planned
from tools.editing.verify import Verifier


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return Verifier(open_judge(), "tableau-judge", None)


@pytest.mark.parametrize("kind", EDIT_KINDS)
def test_trials_are_drawn_by_their_seed_from_different_pictures(kind: str) -> None:
    one, again, other = ([*trials(kind, 4, seed)] for seed in (1, 1, 2))  # type: ignore[arg-type]
    assert [each.planned.after.key for each in one] == [each.planned.after.key for each in again]
    assert len({each.planned.before.key for each in one}) == 4
    assert [each.planned.before.key for each in one] != [each.planned.before.key for each in other]


def test_more_trials_than_the_pictures_allow_are_refused() -> None:
    with pytest.raises(UserError, match="pictures allow an edit"):
        list(trials("color", 5000, 1))


def test_every_wrong_outcome_shows_another_scene_than_was_meant() -> None:
    rng = np.random.default_rng(0)
    for kind in EDIT_KINDS:
        for trial in trials(kind, 3, 5):
            right, *wrong = outcomes(trial, rng)
            assert right.right and right.picture == trial.planned.after.image
            assert wrong and not any(one.right for one in wrong)
            assert all(one.picture.tobytes() != right.picture.tobytes() for one in wrong)


def test_an_editor_that_is_right_every_second_time_is_counted_so(verifier: Verifier) -> None:
    plans = [one.planned for kind in EDIT_KINDS for one in trials(kind, 2, 9)]

    def every_second(plan: Planned, seed: int) -> Image.Image:
        return plan.after.image if seed % 2 else plan.before.image

    painter = Painter(plans, every_second)
    found = try_editor(Attempts(painter, verifier), 2, 9).as_json()
    assert found["n"] == 14 and set(found["kinds"]) == set(EDIT_KINDS)
    assert found["within_three"]["value"] > 0.9 > found["first_try"]["value"]
    assert found["intended_within"]["value"] >= found["within_three"]["value"]
    assert found["outside"]["value"] < 0.01


def test_a_verifier_is_measured_by_painted_outcomes(verifier: Verifier) -> None:
    found = try_verifier(verifier, unworn, 1, 3).as_json()
    assert found["recall"]["value"] == 1 and found["precision"] > 0.9 and found["worn"] == 0
    assert found["wrongly_accepted"]["nothing changed"] == {
        "value": 0,
        "ci": pytest.approx([0, 0.3543], abs=1e-3),
        "n": 7,
    }


def test_a_verifier_that_accepts_all_has_the_precision_of_chance(verifier: Verifier) -> None:
    class Credulous(Verifier):
        def check(self, befores, afters, intents):  # type: ignore[no-untyped-def]
            return [one.model_copy(update={"reasons": ()}) for one in super().check(befores, afters, intents)]

    found = try_verifier(Credulous(verifier.judge, "credulous", None), unworn, 1, 3).as_json()
    assert found["recall"]["value"] == 1 and found["precision"] == 0.5


@pytest.mark.parametrize("strength", [0.0, 0.3])
def test_wear_keeps_size_and_depends_on_its_seed_alone(strength: float) -> None:
    pipeline = tiny(StableDiffusionInstructPix2PixPipeline)
    pictures = [recalled(number) for number in range(3)]
    wear = worn_by(pipeline, strength)
    once, again, other = wear(pictures, 1), wear(pictures, 1), wear(pictures, 2)
    assert [one.size for one in once] == [one.size for one in pictures]
    assert [one.tobytes() for one in once] == [one.tobytes() for one in again]
    assert ([one.tobytes() for one in once] == [one.tobytes() for one in other]) == (strength == 0)


def test_wear_beyond_all_is_refused() -> None:
    with pytest.raises(ValueError, match="strength"):
        worn_by(tiny(StableDiffusionInstructPix2PixPipeline), 1.0)


def recalled(number: int) -> Image.Image:
    from experiments.tableau.source import painted

    return painted(recall(f"train/{number}").scene)
