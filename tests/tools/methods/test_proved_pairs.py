"""Pairs of an editor that has to prove its edits: what is not proved does not come, and the rate travels along."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from store.errors import PlannerError
from tests.tools.methods.conftest import Caller
from tests.tools.small import SquareEditor
from tools.context import ToolContext
from tools.editing.tally import Tally
from tools.methods.pairing import TOGETHER, pairs_for
from tools.stimuli import Change, Pair, Stimulus

NEURON = "language.0.mlp.3"


class SomeProved(SquareEditor):
    """Proves the edits of pictures with an odd number, at the second try."""

    def __init__(self, ever: bool = True) -> None:
        self.ever = ever
        self.counted = Tally()
        self.calls: list[int] = []

    @property
    def tally(self) -> Tally:
        return replace(self.counted)

    def pairs(
        self, stimuli: Sequence[Stimulus], concept: str, change: Change, seeds: Sequence[int], /
    ) -> list[Pair | None]:
        self.calls.append(len(stimuli))
        found = [
            self.pair(stimulus, concept, change, seed)
            if self.ever and int(stimulus.key.rstrip("?").rpartition("/")[2]) % 2
            else None
            for stimulus, seed in zip(stimuli, seeds, strict=True)
        ]
        self.counted.edits += len(found)
        self.counted.accepted += sum(one is not None for one in found)
        return found


@pytest.fixture
def editor(context: ToolContext) -> Iterator[SomeProved]:
    usual, made = context.editor, SomeProved()
    context.editor = made
    yield made
    context.editor = usual


def test_many_pictures_are_edited_together_and_only_proved_pairs_come(
    context: ToolContext, editor: SomeProved
) -> None:
    made = pairs_for(context, "red", "add", 6)
    assert len(made.pairs) == 6 and set(editor.calls) <= set(range(1, TOGETHER + 1))
    assert all(int(pair.without.key.rstrip("?").rpartition("/")[2]) % 2 for pair in made.pairs)
    assert made.tally is not None and made.tally.edits == sum(editor.calls) and made.refused > 0


def test_the_rate_of_proof_stands_beside_the_effect(do: Caller, editor: SomeProved) -> None:
    for _ in range(2):  # a second call counts its own edits alone
        before = editor.tally
        told = do("make_pairs", component=NEURON, concept="red", n=6).result["quantities"]["edits_proved"]
        since = editor.tally.minus(before)
        assert told["n"] == since.edits and told["value"] == pytest.approx(since.accepted / since.edits)
        assert told["ci"][0] < told["value"] < told["ci"][1]


def test_where_nothing_is_proved_there_are_no_pairs(context: ToolContext, editor: SomeProved) -> None:
    editor.ever = False
    with pytest.raises(PlannerError, match="only 0 pairs"):
        pairs_for(context, "red", "add", 6)


def test_an_exact_editor_has_no_rate(do: Caller) -> None:
    assert "edits_proved" not in do("make_pairs", component=NEURON, concept="red", n=6).result["quantities"]
