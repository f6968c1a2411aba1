"""Surveys: which replies are counted, in four arms, and what would follow.

A survey compares how often something is said where it is suspected (`tested`) with how often it is said where what is
suspected can't be at work (`control`); each of the two is a share, or a share minus that of a `baseline`. Plain values:
knows nothing about models, nor about any world.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from store.audits import ClaimKind, Topic
from store.records import Hypothesis
from tools.stimuli import Stimulus

Replies = tuple[str, ...]
MATTERS = 0.05
"""Share beyond the control's from which on a finding is one: five points."""


@dataclass(frozen=True)
class Probe:
    """Questions about pictures that are judged together: `holds` says whether the replies are of the kind counted."""

    asked: tuple[Stimulus, ...]
    holds: Callable[[Replies], bool]


Arm = tuple[Probe, ...]


def says(stimulus: Stimulus, *words: str) -> Probe:
    """The reply is one of these words."""
    return Probe((stimulus,), lambda replies: replies[0] in words)


def says_right(stimulus: Stimulus) -> Probe:
    """The reply is the right answer."""
    return says(stimulus, stimulus.answer)


@dataclass(frozen=True)
class Survey:
    """`claim` is what would be found, `rival` the other explanation that the control would rule out.

    `control_is` says what the control is, `refuter` what would refute the claim; `more` are further arms whose shares
    are told beside the finding. `words` is how many tokens a reply may take. Where a claim stands that has a `cue`,
    components are looked for that carry it: those that make the target say that word in `tested`. `paired`: probe by
    probe, `tested` and `control` are about the same picture, and their baselines, if there are any, are the same.
    """

    topic: Topic
    name: str
    claim: str
    tested: Arm
    control: Arm
    control_is: str
    rival: str
    shows_not: str
    baseline: Arm = ()
    control_baseline: Arm = ()
    unit: str = "share of replies"
    kind: ClaimKind = "behavior"
    words: int = 1
    cue: str = ""
    paired: bool = False
    more: dict[str, Arm] = field(default_factory=dict)

    @property
    def arms(self) -> dict[str, Arm]:
        """All arms by name; those without probes are left out."""
        four = {
            "tested": self.tested,
            "baseline": self.baseline,
            "control": self.control,
            "control baseline": self.control_baseline,
        }
        return {name: arm for name, arm in (four | self.more).items() if arm}


def predicted(claim: str, control_is: str) -> Hypothesis:
    """What is predicted before anything is asked, so that it can lose."""
    return Hypothesis(
        statement=claim,
        quantity="excess",
        direction="above",
        threshold=MATTERS,
        control=control_is,
        refuter=f"a 95 % interval of the effect beyond its control that lies below {MATTERS:.0%}",
    )
