"""Editors and verifiers are measured where the truth is known: trials, wrong outcomes, shares, and worn pictures."""

import numpy as np
import pytest
from diffusers import StableDiffusionInstructPix2PixPipeline
from PIL import Image

from experiments.bench.edits import try_editor, try_verifier, unworn
from experiments.bench.worn import worn_by
from experiments.registry import open_judge
from experiments.tableau.recall import recall
from experiments.tableau.trial_edits import TRIED, outcomes, trials
from experiments.tableau.triples import EditKind
from tests.tools.editing.painters import Painter
from tests.tools.editing.pipelines import tiny
from tools.editing.attempts import Attempts
from tools.editing.intent import Planned
from tools.editing.verify import Verifier


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return Verifier(open_judge(), "tableau-judge", None)


@pytest.mark.parametrize("kind", TRIED)
def test_trials_are_drawn_by_their_seed_from_different_pictures(kind: EditKind) -> None:
    one, again, other = (trials(4, seed, [kind]) for seed in (1, 1, 2))
    assert [each.asked for each in one] == [each.asked for each in again]
    assert len({each.planned.before.image.tobytes() for each in one}) == 4
    assert [each.asked for each in one] != [each.asked for each in other]


def test_of_an_added_thing_only_what_the_words_say_must_come_and_it_may_lie_where_they_allow() -> None:
    for trial in trials(12, 2, ["add"]):
        intent, said = trial.planned.intent, trial.asked.wordings[0].split()
        assert intent.numbers == (("thing", 1),)
        assert all(word == "thing" or word in said for phrase in intent.come for word in phrase.split())
        assert not set(intent.come) & set(intent.kept)
        assert intent.region is not None
        if "in the" not in trial.asked.wordings[0]:
            rows, columns = np.nonzero(intent.region)
            assert np.ptp(rows) > 100 and np.ptp(columns) > 100


def test_every_wrong_outcome_shows_another_scene_than_was_meant() -> None:
    rng = np.random.default_rng(0)
    ways = set()
    for trial in trials(3, 5):
        right, *wrong = outcomes(trial, rng)
        ways |= {one.how for one in wrong}
        assert right.right and right.picture == trial.planned.after.image
        assert wrong and not any(one.right for one in wrong)
        assert all(one.picture.tobytes() != right.picture.tobytes() for one in wrong)
    assert {"nothing changed", "the thing is there twice", "another thing is there twice"} <= ways


def test_what_the_words_leave_open_of_an_added_thing_can_not_be_wrong() -> None:
    rng, found = np.random.default_rng(0), set()
    for trial in trials(12, 2, ["add"]):
        said = trial.asked.wordings[0].split()
        (thing,) = set(trial.asked.after.things) - set(trial.asked.before.things)
        for one in outcomes(trial, rng):
            if one.how.startswith("the thing has the wrong"):
                found.add(one.how)
                assert getattr(thing, one.how.split()[-1]) in said
    assert len(found) == 4


def test_an_editor_that_is_right_every_second_time_is_counted_so(verifier: Verifier) -> None:
    plans = [one.planned for one in trials(2, 9)]
    assert len({one.intent.instruction for one in plans}) == len(
        plans
    )  # the painter knows a plan by its words

    def every_second(plan: Planned, seed: int) -> Image.Image:
        return plan.after.image if seed % 2 else plan.before.image

    painter = Painter(plans, every_second)
    found = try_editor(Attempts(painter, verifier), 2, 9).as_json()
    assert found["n"] == 14 and set(found["kinds"]) == set(TRIED)
    assert found["within_three"]["value"] > 0.9 > found["first_try"]["value"]
    assert found["intended_within"]["value"] >= found["within_three"]["value"]
    assert found["outside"]["value"] < 0.01


def test_a_verifier_is_measured_by_painted_outcomes(verifier: Verifier) -> None:
    found = try_verifier(verifier, unworn, 1, 3).as_json()
    assert found["recall"]["value"] == 1 and found["precision"]["value"] > 0.8 and found["worn"] == 0
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
    assert found["recall"]["value"] == 1 and found["recall"]["n"] == 7
    assert found["precision"]["value"] == pytest.approx(7 / found["n"], abs=1e-4)
    assert found["precision"]["ci"][0] < found["precision"]["value"] < found["precision"]["ci"][1]


def test_a_second_copy_is_not_accepted(verifier: Verifier) -> None:
    told = try_verifier(verifier, unworn, 2, 3)
    twice = [
        check
        for outcome, check in zip(told.outcomes, told.checks, strict=True)
        if outcome.how.endswith("is there twice")
    ]
    assert len(twice) > 6 and not any(check.accepted for check in twice)
    assert all(check.odd is not None and check.odd > 0.5 for check in twice)
    assert any(
        "of `thing` came about, not" in reason and len(check.reasons) == 1
        for check in twice
        for reason in check.reasons
    )


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
