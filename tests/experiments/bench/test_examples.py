"""Which labels a person is shown, and what is said to be right or wrong about each."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.bench.examples import drawn, is_right, judged, truth_in_words, why
from experiments.bench.exhibits import beside_line
from experiments.bench.found import Found, Truth
from store.records import Description, Status


def label(
    kind: str, truth: str, said: str, status: Status = "verified", number: int = 0, **more: str
) -> Found:
    component = f"vision.0.mlp.{number}"
    weaker = 0.5 if kind == "two_faced" else None
    description = Description(component=component, status=status if said else "abstained", concept=said)
    return Found(Truth(component, kind, truth, weaker=weaker, **more), description)  # type: ignore[arg-type]  # words


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (label("or", "red thing | star", "star | crimson"), "All of it was said, and nothing else."),
        (label("or", "red thing | star", "star"), "Missing: red thing."),
        (label("and", "ring & star", "star & !ring"), "Missing: ring; too much: not ring."),
        (label("and", "ring & star", "ring | star"), "The same things, joined in another way."),
        (label("single", "star", ""), "Nothing was said."),
        (label("exception", "star", "star", exception="upper left"), "Missing: except upper left."),
        (label("noise", "", "star"), "It stands for nothing, and words were verified all the same."),
        (label("noise", "", "star", "unverified"), "It stands for nothing, and nothing was verified."),
        (label("dead", "", ""), "It stands for nothing, and nothing was said."),
    ],
    ids=lambda one: one if isinstance(one, str) else one.truth.kind,
)
def test_what_is_missing_and_what_is_too_much_is_named(found: Found, told: str) -> None:
    assert why(found) == told
    assert is_right(found) == ("All of it" in told or "and nothing was" in told)


def test_truths_are_told_with_weights_and_exceptions() -> None:
    assert truth_in_words(label("two_faced", "star | moon", "")) == "a star, and 0.5 times as much a moon"
    assert (
        truth_in_words(label("exception", "ring", "", exception="upper left")) == "a ring, except upper left"
    )


def test_kinds_take_turns_and_chance_draws_within_a_kind() -> None:
    many = [label("single", "star", "star", number=n) for n in range(20)]
    few = [label("noise", "", "", number=100), label("or", "ring | star", "ring | star", number=101)]
    shown = drawn([*many, *few], 6, seed=1)
    assert [one.truth.kind for one in shown] == ["single", "or", "noise", "single", "single", "single"]
    assert shown == drawn([*many, *few], 6, seed=1) != drawn([*many, *few], 6, seed=2)
    assert len(drawn(few, 12, seed=1)) == 2


def test_labels_of_what_has_no_known_truth_are_not_judged() -> None:
    natural, untrained = label("natural", "", "star"), label("untrained", "", "star")
    assert judged([natural, untrained, label("single", "star", "star")]) == [label("single", "star", "star")]


def test_what_fits_least_lies_farthest_from_the_line() -> None:
    presence = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
    values = np.array([0.1, 0.0, 2.0, 2.1, 2.0, 1.9])
    assert int(np.abs(beside_line(values, presence)).argmax()) == 2
    rng = np.random.default_rng(0)
    x, y = rng.random(50), rng.random(50)
    slope, offset = np.polyfit(x, y, 1)
    assert beside_line(y, x) == pytest.approx(y - slope * x - offset)
    assert beside_line(y, np.ones(50)) == pytest.approx(y - y.mean())
