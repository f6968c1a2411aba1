"""Proof of edits by the embedded judge: exact ones pass, and each way to go wrong is turned down for its own reason."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from experiments.registry import open_judge
from experiments.tableau.edit import Recolor, Refill, Remove, SetBackground, edit
from experiments.tableau.intents import TableauIntents
from experiments.tableau.recall import recall
from experiments.tableau.scene import Background, Color, Fill, Scene
from experiments.tableau.source import TableauSource, painted
from tools.editing.intent import Intent, Planned
from tools.editing.likeness import Likeness
from tools.editing.verify import Check, Limits, Verifier
from tools.stimuli import Change


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    judge = open_judge()
    known = [TableauSource("train").picture(number).image for number in range(200)]
    return Verifier(judge, "tableau-judge", Likeness(judge, known))


@pytest.fixture(scope="module")
def planned() -> list[Planned]:
    """Edits of pictures with at least two things: a color or shape swapped, or a thing removed."""
    intents, source, found = TableauIntents(), TableauSource("train", 150), []
    for number in range(150):
        shown = source.picture(number)
        things = recall(shown.key).scene.things
        if len(things) < 2:
            continue
        change: Change = "swap" if number % 2 else "remove"
        made = intents.pair(shown, f"{things[0].color} {things[0].shape}", change, number)
        if made is not None:
            found.append(made)
    return found[:24]


def checks(verifier: Verifier, planned: list[Planned], afters: list[Image.Image]) -> list[Check]:
    return verifier.check([one.before.image for one in planned], afters, [one.intent for one in planned])


def scenes(planned: Planned) -> tuple[Scene, Scene]:
    return recall(planned.before.key).scene, recall(planned.after.key).scene


def test_exact_edits_are_accepted(verifier: Verifier, planned: list[Planned]) -> None:
    found = checks(verifier, planned, [one.after.image for one in planned])
    assert len(found) == 24 and sum(check.accepted for check in found) >= 23


def test_a_picture_that_did_not_change_is_turned_down_for_what_is_missing(
    verifier: Verifier, planned: list[Planned]
) -> None:
    for check in checks(verifier, planned, [one.before.image for one in planned]):
        assert any("did not come" in reason or "stayed" in reason for reason in check.reasons)


def test_a_second_change_elsewhere_is_turned_down(verifier: Verifier, planned: list[Planned]) -> None:
    afters = []
    for one in planned:
        before, after = scenes(one)
        other = next(i for i, thing in enumerate(after.things) if thing in before.things)
        word: Color = "green" if after.things[other].color != "green" else "red"
        afters.append(painted(edit(after, Recolor(other, word))))
    found = checks(verifier, planned, afters)
    assert sum(check.accepted for check in found) == 0
    assert all("changed" in " ".join(check.reasons) for check in found)


@pytest.mark.parametrize("wrong", ["another background", "everything gone", "another fill"])
def test_other_wrong_edits_are_turned_down(verifier: Verifier, planned: list[Planned], wrong: str) -> None:
    afters = []
    for one in planned:
        before, after = scenes(one)
        ground: Background = "gray" if before.background != "gray" else "dark"
        if wrong == "another background":
            afters.append(painted(edit(after, SetBackground(ground))))
        elif wrong == "everything gone":
            gone = before
            while gone.things:
                gone = edit(gone, Remove(0))
            afters.append(painted(gone))
        else:
            other = next(i for i, thing in enumerate(after.things) if thing in before.things)
            fill: Fill = "striped" if after.things[other].fill != "striped" else "solid"
            afters.append(painted(edit(after, Refill(other, fill))))
    assert sum(check.accepted for check in checks(verifier, planned, afters)) == 0


def test_noise_does_not_look_like_the_data(verifier: Verifier, planned: list[Planned]) -> None:
    rng = np.random.default_rng(0)
    noise = [Image.fromarray(rng.integers(0, 256, (112, 112, 3), dtype=np.uint8)) for _ in planned]
    for check in checks(verifier, planned, noise):
        assert any("does not look like the data" in reason for reason in check.reasons)


def test_a_check_depends_on_its_own_edit_alone(verifier: Verifier, planned: list[Planned]) -> None:
    afters = [one.after.image for one in planned[:6]]
    together = checks(verifier, planned[:6], afters)
    alone = [checks(verifier, [one], [after])[0] for one, after in zip(planned, afters, strict=False)]
    for one, other in zip(together, alone, strict=True):
        assert one.reasons == other.reasons and one.meant == pytest.approx(other.meant, abs=1e-4)


def test_without_a_region_or_data_nothing_is_said_of_them(planned: list[Planned]) -> None:
    intent = Intent("make it so", "so", come=("star",))
    (check,) = Verifier(open_judge(), "tableau-judge", None).check(
        [planned[0].before.image], [planned[0].before.image], [intent]
    )
    assert (check.outside, check.worst, check.similarity, check.usual) == (None, None, None, None)


def test_a_drawn_picture_need_not_have_the_size_of_the_canvas(planned: list[Planned]) -> None:
    drawn = planned[0].after.image
    (check,) = Verifier(open_judge(), "tableau-judge", None).check(
        [drawn.resize((512, 512))], [drawn], [Intent("draw it", "it")]
    )
    assert check.accepted and check.inside is None


def test_the_limits_are_what_decides(planned: list[Planned]) -> None:
    blot = planned[0].after.image.copy()
    ImageDraw.Draw(blot).rectangle((0, 0, 5, 5), fill=(128, 128, 128))
    judge = open_judge()
    pictures = ([planned[0].before.image], [blot], [planned[0].intent])
    strict = Verifier(judge, "tableau-judge", None, Limits(worst=0.0)).check(*pictures)[0]
    lenient = Verifier(judge, "tableau-judge", None, Limits(worst=1.0, outside=1.0)).check(*pictures)[0]
    assert "outside the region" in strict.reasons[0] and lenient.accepted
