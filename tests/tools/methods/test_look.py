"""`look` lays pictures before a planner: those that it names, of its own thread and split, and no others."""

from __future__ import annotations

from io import BytesIO
from itertools import count

import pytest
from PIL import Image

from store.errors import PlannerError
from store.recorder import Turn
from store.records import Experiment
from tests.tools.methods.conftest import Caller
from tests.tools.small import Squares
from tools import door
from tools.context import ToolContext

NEURON, OTHER = "language.0.mlp.3", "language.0.mlp.4"


@pytest.fixture
def within(context: ToolContext) -> Caller:
    """Calls a tool within a component's thread: `within("look", thread=NEURON, …)`."""
    run = context.store.recorder.open_run("label", context.target.fingerprint, {}, 0, "test")
    steps = count()

    def through_the_door(name: str, thread: str = NEURON, **arguments: object) -> Experiment:
        return door.call(context, Turn(run, thread, next(steps), 0), name, arguments)

    return through_the_door


def test_a_picture_is_named_by_the_first_digits_of_its_hash_and_told_with_where_it_is_from(
    context: ToolContext, within: Caller
) -> None:
    seen = within("top_exemplars", component=NEURON, k=3)
    row = seen.result["exemplars"][0]
    looked = within("look", pictures=[row["image"][:10], row["overlay"][:10]]).result
    plain, heat = looked["exemplars"]
    assert (plain["image"], heat["image"]) == (row["image"], row["overlay"])
    assert plain["words"] == f"e{seen.number} top {row['key']}" and heat["words"].endswith("heat map")
    assert looked["quantities"] == {} and looked["cost"]["forwards"] == 0, "it measures nothing"


def test_a_picture_of_the_planners_split_is_shown_by_its_number(context: ToolContext, within: Caller) -> None:
    (row,) = within("look", pictures=[7]).result["exemplars"]
    shown = Image.open(BytesIO(context.store.artifacts.get(row["image"]))).convert("RGB")
    assert shown.tobytes() == Squares().picture(7).image.convert("RGB").tobytes()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("0123456789", "`0123456789` names no picture of this thread's results"),
        ("select/3", "no picture that a planner may look at"),
        (60, "`60` is past the end: there are 60 pictures"),
        (-1, "`-1` is past the end"),
    ],
)
def test_what_is_not_a_planners_to_see_is_refused(within: Caller, name: int | str, told: str) -> None:
    with pytest.raises(PlannerError, match=told):
        within("look", pictures=[name])


def test_another_threads_pictures_have_no_names_here(within: Caller) -> None:
    row = within("top_exemplars", thread=OTHER, component=OTHER, k=3).result["exemplars"][0]
    assert within("look", thread=OTHER, pictures=[row["overlay"][:10]])
    with pytest.raises(PlannerError, match="names no picture of this thread's results"):
        within("look", pictures=[row["overlay"][:10]])


@pytest.mark.parametrize("pictures", [[], list(range(9))])
def test_one_look_is_at_one_picture_up_to_eight(within: Caller, pictures: list[int]) -> None:
    with pytest.raises(PlannerError, match="`pictures`"):
        within("look", pictures=pictures)
