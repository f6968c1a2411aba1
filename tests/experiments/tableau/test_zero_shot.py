"""Zero-shot reading of a contrastive model: chance for an untrained one, on pictures of one thing."""

from __future__ import annotations

from itertools import islice

import pytest

from experiments.tableau.models import clip_processor, new_clip
from experiments.tableau.phrases import VALUES
from experiments.tableau.zero_shot import _single_things, _with, zero_shot
from tools.targets.target import Target


def test_the_pictures_hold_one_thing_and_no_sign() -> None:
    for seen in islice(_single_things(0), 20):
        assert len(seen.things) == 1
        assert seen.sign is None


def test_the_choices_differ_in_the_one_attribute() -> None:
    seen = next(_single_things(0))
    for name, values in VALUES.items():
        for value in values:
            changed = _with(seen, name, value)
            assert getattr(changed.things[0], name) == value
            assert _with(changed, name, getattr(seen.things[0], name)) == seen


def test_an_untrained_model_reads_at_chance() -> None:
    found = zero_shot(Target("untrained", "clip", new_clip(3).eval(), clip_processor()), 96)
    for figures in found["attributes"].values():
        low, high = figures["ci"]
        assert low <= figures["chance"] + 0.12
        assert high >= figures["chance"] - 0.12
        assert figures["n"] == 96


def test_a_target_is_named_in_the_record() -> None:
    found = zero_shot(Target("untrained", "clip", new_clip(3).eval(), clip_processor()), 4)
    assert found["target"] == "untrained"
    assert found["attributes"]["shape"]["chance"] == pytest.approx(1 / 8)
