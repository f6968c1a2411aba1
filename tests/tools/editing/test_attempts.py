"""Tries until an edit is proved: how many, with which seeds, what is kept of each, and what is counted."""

from collections.abc import Callable

import pytest
from PIL import Image

from experiments.registry import open_judge
from experiments.tableau.intents import TableauIntents
from experiments.tableau.recall import recall
from experiments.tableau.source import TableauSource
from store.errors import UserError
from tests.tools.editing.painters import Hand, Painter
from tools.editing.attempts import Attempts, Tried
from tools.editing.backend import Failed
from tools.editing.intent import Intent, Planned
from tools.editing.tally import Tally, caveat
from tools.editing.verified import VerifiedEditor
from tools.editing.verify import Verifier
from tools.stimuli import ImageEditor, Stimulus


@pytest.fixture(scope="module")
def plans() -> list[Planned]:
    intents, source = TableauIntents(), TableauSource("train", 40)
    found: list[Planned] = []
    for number in range(40):
        shown = source.picture(number)
        for thing in recall(shown.key).scene.things[:1]:
            planned = intents.pair(shown, f"{thing.color} {thing.shape}", "remove", number)
            if planned is not None and planned.intent.instruction not in {
                one.intent.instruction for one in found
            }:
                found.append(planned)
    return found[:6]


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return Verifier(open_judge(), "tableau-judge", None)


@pytest.fixture
def attempts(plans: list[Planned], verifier: Verifier) -> Callable[[Hand], Attempts]:
    return lambda hand: Attempts(Painter(plans, hand), verifier)


def tried(attempts: Attempts, plans: list[Planned], seeds: list[int]) -> list[Tried]:
    return attempts.edit([one.before.image for one in plans], [one.intent for one in plans], seeds)


def right(plan: Planned, seed: int) -> Image.Image:
    return plan.after.image


def nothing(plan: Planned, seed: int) -> Image.Image:
    return plan.before.image


def at_the_third_try(plan: Planned, seed: int) -> Image.Image:
    return plan.after.image if seed % 3 == 2 else plan.before.image


def test_what_is_right_at_once_is_tried_once(
    attempts: Callable[[Hand], Attempts], plans: list[Planned]
) -> None:
    made = attempts(right)
    found = tried(made, plans, list(range(len(plans))))
    assert [len(one.attempts) for one in found] == [1] * len(plans)
    assert [one.picture for one in found] == [one.after.image for one in plans]
    assert made.tally == Tally(len(plans), len(plans), len(plans))


def test_every_try_has_its_own_seed_and_is_kept_with_its_reason(
    attempts: Callable[[Hand], Attempts], plans: list[Planned]
) -> None:
    made = attempts(at_the_third_try)
    (found,) = tried(made, plans[:1], [7])
    assert [one.seed for one in found.attempts] == [21, 22, 23]
    assert [one.accepted for one in found.attempts] == [False, False, True]
    assert all("stayed" in " ".join(one.reasons) for one in found.attempts[:2])
    assert len(found.pictures) == 3 and found.picture is plans[0].after.image
    assert made.tally == Tally(edits=1, first=0, accepted=1)


def test_what_is_never_right_is_given_up_and_counted(
    attempts: Callable[[Hand], Attempts], plans: list[Planned]
) -> None:
    made = attempts(nothing)
    found = tried(made, plans, list(range(len(plans))))
    assert all(one.picture is None and len(one.attempts) == 3 for one in found)
    rate = made.tally.rate
    assert rate.value == 0 and rate.n == len(plans) and rate.ci is not None and rate.ci[1] > 0.2


def test_a_failure_of_the_model_is_a_try_with_its_reason(
    attempts: Callable[[Hand], Attempts], plans: list[Planned]
) -> None:
    made = attempts(
        lambda plan, seed: right(plan, seed) if seed % 3 else Failed("blank", "it came back black")
    )
    (found,) = tried(made, plans[:1], [4])
    assert found.attempts[0].reasons == ("it came back black",) and found.pictures[0] is None
    assert found.attempts[1].accepted


def test_what_becomes_of_one_edit_depends_on_no_other(
    attempts: Callable[[Hand], Attempts], plans: list[Planned]
) -> None:
    def sometimes(plan: Planned, seed: int) -> Image.Image:
        return plan.after.image if (seed * 7 + len(plan.intent.instruction)) % 4 == 0 else plan.before.image

    seeds = list(range(10, 10 + len(plans)))
    together = tried(attempts(sometimes), plans, seeds)
    alone = [tried(attempts(sometimes), [plan], [seed])[0] for plan, seed in zip(plans, seeds, strict=True)]
    assert [one.attempts for one in together] == [one.attempts for one in alone]


def test_a_verified_editor_is_an_editor_and_gives_the_proved_picture(
    attempts: Callable[[Hand], Attempts], plans: list[Planned]
) -> None:
    editor: ImageEditor = VerifiedEditor(TableauIntents(), attempts(right))
    source = TableauSource("train", 40)
    plan = plans[0]
    shown = next(
        source.picture(number) for number in range(40) if source.picture(number).key == plan.before.key
    )
    seed = int(plan.after.key.rpartition("#")[2])
    pair = editor.pair(shown, plan.concept, "remove", seed)
    assert pair is not None and pair.without.image is plan.after.image
    assert pair.without.key == f"{plan.after.key}|redrawn painter #{seed}"
    assert recall(pair.without.key).scene == recall(plan.after.key).scene
    assert pair.with_.key == plan.before.key and pair.changed.endswith("by painter")


@pytest.mark.parametrize("name", ["./editors/mine?v=2#3", "50% | painter", "a b\tc"])
def test_an_editor_of_any_name_leaves_a_key_that_is_read_again(
    attempts: Callable[[Hand], Attempts], plans: list[Planned], name: str
) -> None:
    made = attempts(right)
    made.model.name = name
    found = VerifiedEditor(TableauIntents(), made).edit(plans[0].before, plans[0].intent.instruction, 3)
    again = TableauIntents().edit(plans[0].before, plans[0].intent.instruction, 3)
    assert recall(found.key).scene == recall(again.after.key).scene
    assert "redrawn" in found.key and found.key.count("|") == 2


def test_what_is_known_of_a_picture_is_told_and_a_change_that_nobody_checked_is_not_called_proved(
    attempts: Callable[[Hand], Attempts], plans: list[Planned], verifier: Verifier
) -> None:
    words, picture = "make it nicer", plans[0].before
    free = Planned(words, Intent(words, words, kept=("star",)), picture, picture, words)

    class Free(TableauIntents):
        def edit(self, stimulus: Stimulus, instruction: str, seed: int, /) -> Planned:
            return free

    editor = VerifiedEditor(Free(), Attempts(Painter([free], nothing), verifier))
    unchecked = editor.edit(picture, words, 1)
    assert editor.known_of(unchecked) == "unchanged elsewhere; the change itself is not checked"
    assert caveat(editor, unchecked) == (editor.known_of(unchecked),)
    sure = VerifiedEditor(TableauIntents(), attempts(right))
    proved = sure.edit(plans[0].before, plans[0].intent.instruction, 3)
    assert sure.known_of(proved) == "proved" and caveat(sure, proved) == ()
    assert sure.known_of(plans[0].before) == "" and caveat(None, proved) == ()


def test_a_pair_that_is_not_proved_does_not_come_about(
    attempts: Callable[[Hand], Attempts], plans: list[Planned]
) -> None:
    editor = VerifiedEditor(TableauIntents(), attempts(nothing))
    plan = plans[0]
    seed = int(plan.after.key.rpartition("#")[2])
    assert editor.pair(plan.before, plan.concept, "remove", seed) is None
    assert editor.tally == Tally(edits=1, first=0, accepted=0)


def test_an_instruction_that_is_not_proved_is_refused_with_the_reasons(
    attempts: Callable[[Hand], Attempts], plans: list[Planned]
) -> None:
    editor = VerifiedEditor(TableauIntents(), attempts(nothing))
    with pytest.raises(UserError, match=r"tried 3 times by painter.*stayed"):
        editor.edit(plans[0].before, plans[0].intent.instruction, 3)


def test_a_telling_question_is_asked_of_the_proved_pictures(
    attempts: Callable[[Hand], Attempts], plans: list[Planned]
) -> None:
    editor = VerifiedEditor(TableauIntents(), attempts(right))
    plan = plans[0]
    seed = int(plan.after.key.rpartition("#")[2])
    pair = editor.pair(plan.before, plan.concept, "remove", seed)
    assert pair is not None
    told = editor.telling(pair, 1)
    assert told.with_.question and told.with_.answer != told.without.answer
    assert told.without.image is pair.without.image
