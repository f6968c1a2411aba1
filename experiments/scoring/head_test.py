"""The blind test of what a head is said to read, to write, and to be needed for, on questions that nobody looked at.

Takes a frozen claim and what it is about, measures just that on the test split, and scores it (heads.py). What stands
in a head's place when it is cut is its mean over the planner's own pictures, so that nothing of the test goes into it.
Seeds hang on the run's and the component's alone: the same claim scores the same. Knows nothing of the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.scoring import heads
from store.address import Address, parse
from store.errors import PlannerError
from store.records import AGAINST, HEAD_CLAIMS, Claim, Description, Score
from tools.context import Memory, ToolContext
from tools.engine.plan import Plan, Row
from tools.methods.ablate import refuse_unreachable
from tools.methods.answers import Asked, Margins, asked, margins, refuse_wordless, silenced
from tools.methods.looks import Looks, looks
from tools.methods.writing import written
from tools.stimuli import ImageSource

PICTURES = 64
"""Pictures, each with its question, on which attention is read."""
NAMED, OTHER = 32, 6
"""Questions of the kind that is named, and of each other kind."""
RANDOM = 8
"""Random heads of the same tower that are cut on the same questions."""


class ClaimTested(NamedTuple):
    """A claim as the test leaves it; without a score where it could not be tested, for the claim's reason."""

    name: str
    claim: Claim
    score: Score | None


class Held(NamedTuple):
    """A score, and what its null is in words."""

    score: Score
    against: str


def testable(frozen: Description) -> bool:
    """Whether some claim says what it is about."""
    claims = (frozen.claims.get(name) for name in HEAD_CLAIMS)
    return any(claim is not None and claim.about for claim in claims)


@dataclass
class HeadTest:
    """Tests the heads of one run. `context` is the planners'; `test` their sealed pictures, which it never gets.

    What belongs to no single head (untouched answers, random heads, a layer's attention) is measured once.
    """

    context: ToolContext
    test: ImageSource
    named: int = NAMED
    other: int = OTHER
    random: int = RANDOM
    _sealed: ToolContext = field(init=False)
    _plain: dict[str, Margins] = field(init=False, default_factory=dict)
    _drops: dict[tuple[str, str], Float[np.ndarray, "row"]] = field(init=False, default_factory=dict)
    _looks: dict[str, Looks] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._sealed = replace(self.context, images=self.test, memory=Memory())

    def of(self, frozen: Description) -> list[ClaimTested]:
        """Every claim of a frozen description that says what it is about, tested."""
        address = parse(frozen.component)
        return [
            self._tested(address, name, claim)
            for name in HEAD_CLAIMS
            if (claim := frozen.claims.get(name)) is not None and claim.about
        ]

    def _tested(self, address: Address, name: str, claim: Claim) -> ClaimTested:
        measure = {"reads": self._reads, "writes": self._writes, "when_cut": self._when_cut}[name]
        kept = {"about": claim.about, "evidence": claim.evidence}
        try:
            if address.part != "head":
                raise _untold(f"`{address}` is not a head")
            score, against = measure(address, claim.about)
        except PlannerError as error:
            open_ = Claim.model_validate(
                {"verdict": "undetermined", "because": f"not tested: {error.message}"}
            )
            return ClaimTested(name, open_.model_copy(update=kept), None)
        return ClaimTested(name, heads.claim(score, against=against).model_copy(update=kept), score)

    def _reads(self, address: Address, about: str) -> Held:
        """The class of tokens against attention from the answer position, or from patches."""
        seen = self._seen(address)
        place = seen.places[seen.names.index(about)] if about in seen.names else None
        if place is None or not place.any() or place[seen.shown].all():
            raise _untold(f"these pictures have no tokens `{about}` beside others")
        assert address.index is not None
        score = heads.reads(
            seen.attention[address.index],
            place,
            seen.shown,
            split=self.test.split,
            groups=seen.scene.tolist(),
            seed=self.context.derived_seed(address, "reads on test"),
        )
        return Held(score, "the class's share of tokens")

    def _writes(self, address: Address, about: str) -> Held:
        """Its direct effect at the answer position: the right answer against the others, question by question."""
        refuse_wordless(self.context)
        if address.tower != "language":
            raise _untold(f"no words are read from where `{address}` writes")
        questions = self._asked(about.removeprefix(AGAINST), self.named)
        sign = -1 if about.startswith(AGAINST) else 1
        effect = written(self._sealed, address, questions)
        score = heads.writes(
            effect.favor,
            np.full(len(effect.right), float(sign)),
            null=effect.by_chance(sign),
            split=self.test.split,
        )
        return Held(score, "a coin, or the same head with the answers shuffled where that is more")

    def _when_cut(self, address: Address, about: str) -> Held:
        """The drop on the named kind less that on the others, against random heads of the tower."""
        refuse_wordless(self.context)
        refuse_unreachable(self.context, address)
        named = self._asked(about, self.named)
        rest = [self._asked(kind, self.other) for kind in self.test.kinds if kind != about]
        rivals = self._random_heads(address)
        if not rest or not rivals:
            raise _untold("there is no other kind of question, or no other head, to compare with")
        cut = [address, *rivals]
        score = heads.when_cut(
            np.stack([self._drop(head, named) for head in cut]),
            np.stack([np.concatenate([self._drop(head, kind) for kind in rest]) for head in cut]),
            split=self.test.split,
            seed=self.context.derived_seed(address, "cut on test"),
        )
        return Held(score, f"the 95th percentile of {len(rivals)} random heads of the tower, at least 0")

    def _seen(self, address: Address) -> Looks:
        if address.site not in self._looks:
            drawn = self.context.random("heads on test").permutation(len(self.test))[:PICTURES]
            stimuli = [self.test.asked(int(number)) for number in sorted(drawn)]
            self._looks = {address.site: looks(self._sealed, address, stimuli)}
        return self._looks[address.site]

    def _asked(self, kind: str, n: int) -> Asked:
        """Raises PlannerError where no such question has a known answer."""
        return asked(self._sealed, (kind,), n)[0]

    def _random_heads(self, address: Address) -> list[Address]:
        """Drawn once for the tower, so that its heads share nearly all of them."""
        tower = self.context.extent.towers[address.tower]
        every = [
            Address(address.tower, layer, "head", head)
            for layer in range(tower.layers)
            for head in range(tower.heads)
        ]
        order = self.context.random("random heads", address.tower).permutation(len(every))
        drawn = (every[number] for number in order)
        able = [one for one in drawn if one != address and self.context.adapter.reaches(one, "all") is None]
        return able[: self.random]

    def _drop(self, address: Address, questions: Asked) -> Float[np.ndarray, "row"]:
        """How much of the right answer's margin goes, in logits, when the head is at its mean."""
        key = f"{questions.kind} {len(questions.stimuli)}"
        if key not in self._plain:
            self._plain[key] = self._margins(questions, [Row(place) for place in range(len(questions.right))])
        if (str(address), key) not in self._drops:
            done = silenced(self.context, address, "mean")
            without = self._margins(questions, [Row(place, done) for place in range(len(questions.right))])
            self._drops[str(address), key] = self._plain[key].margin - without.margin
        return self._drops[str(address), key]

    def _margins(self, questions: Asked, rows: Sequence[Row]) -> Margins:
        return margins(self._sealed.engine.run(Plan(questions.stimuli, rows)).logits, questions)


def _untold(reason: str) -> PlannerError:
    return PlannerError(reason, kind="untestable")
