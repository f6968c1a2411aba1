"""The methods on a target that reads the picture by cross-attention: each of its towers, in the same words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from store.errors import PlannerError
from store.recorder import Turn
from tests.tiny import save_blip
from tests.tools.lively import lively
from tests.tools.small import small_context
from tools.context import ToolContext
from tools.door import call

Do = Callable[..., dict[str, Any]]

COMPONENTS = {
    "vision.1.mlp.3": "visual",
    "question.1.mlp.3": "question",
    "question.0.head.1": "question",
    "cross.1.head.2": "question",
    "recall.0.head.1": "answer",
    "language.1.mlp.3": "answer",
}
"""With the scope that each tower has."""


@pytest.fixture(scope="module")
def do(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Do]:
    folder = tmp_path_factory.mktemp("crossed")
    model = save_blip(folder / "model")
    lively(model, seed=4).model.save_pretrained(model)
    context: ToolContext = small_context(model, folder)
    run = context.store.recorder.open_run("direct", context.target.fingerprint, {}, 0, "test")
    calls = count()
    yield lambda name, **words: call(context, Turn(run, "direct", 0, next(calls)), name, words).result
    context.store.close()


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("mode", ["zero", "mean", "resample"])
def test_a_component_of_any_tower_is_silenced(do: Do, component: str, mode: str) -> None:
    found = do("ablate", component=component, mode=mode)["quantities"]
    assert found and all(one["n"] > 0 for name, one in found.items() if name.startswith("drop"))


@pytest.mark.parametrize(
    ("head", "places", "blocked"),
    [
        ("vision.1.head.0", {"class", "itself", "near", "far"}, False),
        ("question.0.head.1", {"question", "start", "itself"}, False),
        ("cross.1.head.2", {"class", "picture"}, True),
        ("recall.0.head.1", {"question", "start"}, False),
    ],
)
def test_a_head_of_any_tower_looks_at_what_it_can_see(
    do: Do, head: str, places: set[str], blocked: bool
) -> None:
    found = do("attention", component=head, n=8)
    shares = {
        name.removeprefix("share_"): one["value"]
        for name, one in found["quantities"].items()
        if name.startswith("share_")
    }
    assert set(shares) == places and sum(shares.values()) == pytest.approx(1, abs=1e-5)
    assert ("cut_visual" in found["quantities"]) == blocked
    assert bool(found["exemplars"]) == (blocked or head.startswith("vision"))


@pytest.mark.parametrize(("component", "scope"), COMPONENTS.items())
def test_a_component_of_any_tower_is_shown_by_its_highest_pictures(
    do: Do, component: str, scope: str
) -> None:
    found = do("top_exemplars", component=component, reading={"scope": scope})
    assert found["component"] == component and found["exemplars"]
    assert all(bool(one["overlay"]) == (component[0] in "vc") for one in found["exemplars"])
    for other in {"visual", "question", "answer"} - {scope}:
        with pytest.raises(PlannerError, match=f"has no {other} tokens"):
            do("top_exemplars", component=component, reading={"scope": other})
