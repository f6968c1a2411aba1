"""How often edits were proved, and what an editor is that has to prove them.

Knows counts alone, so that whoever makes pairs can read them without loading a model's libraries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from store.records import Quantity
from tools.scoring.intervals import wilson
from tools.stimuli import Change, Pair, Stimulus

PROVED = "proved"


@dataclass
class Tally:
    """How many edits were tried, how many were proved at the first try, and how many at any."""

    edits: int = 0
    first: int = 0
    accepted: int = 0

    def count(self, first: Sequence[bool], accepted: Sequence[bool]) -> None:
        """Adds edits, by whether each was proved at the first try, and at any."""
        self.edits += len(accepted)
        self.first += sum(first)
        self.accepted += sum(accepted)

    def minus(self, earlier: Tally) -> Tally:
        """What was counted since."""
        return Tally(self.edits - earlier.edits, self.first - earlier.first, self.accepted - earlier.accepted)

    @property
    def rate(self) -> Quantity:
        """Share of edits that were proved within all tries, with Wilson's interval."""
        share = wilson(self.accepted, self.edits)
        return Quantity(value=share.value, unit="share of edits", ci=(share.low, share.high), n=self.edits)


def all_told(tallies: Sequence[Tally]) -> Tally | None:
    """The tallies added up; None of none."""
    if not tallies:
        return None
    return Tally(
        sum(one.edits for one in tallies),
        sum(one.first for one in tallies),
        sum(one.accepted for one in tallies),
    )


@runtime_checkable
class Proving(Protocol):
    """An editor that proves its edits, counts them, and makes many pairs together."""

    @property
    def tally(self) -> Tally: ...

    def pairs(
        self, stimuli: Sequence[Stimulus], concept: str, change: Change, seeds: Sequence[int], /
    ) -> list[Pair | None]: ...


@runtime_checkable
class Vouching(Protocol):
    """An editor that says what is known of a picture that it made."""

    def known_of(self, stimulus: Stimulus, /) -> str:
        """`proved`, or what is missing; "" for a picture that is not of its making."""
        ...


def caveat(editor: object, stimulus: Stimulus) -> tuple[str, ...]:
    """What has to be said beside a picture whose change nobody has checked; nothing beside others."""
    known = editor.known_of(stimulus) if isinstance(editor, Vouching) else ""
    return () if known in ("", PROVED) else (known,)


def tally_of(editor: object) -> Tally | None:
    """What an editor has counted until now; None of one whose edits need no proof."""
    return editor.tally if isinstance(editor, Proving) else None
