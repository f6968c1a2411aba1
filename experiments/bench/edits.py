"""How far an editor and the proof of its edits can be trusted: rates of acceptance by kind, and the verifier's errors.

The editor is tried on edits of seven kinds; the verifier is tried on painted outcomes whose truth is known, right and
wrong ones, passed through the editor's own blur (`worn`), because a verifier that is sharp on perfect pictures alone is
worth nothing. Knows trials, attempts and shares; knows nothing about commands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from experiments.tableau.trial_edits import TRIED, Outcome, Trial, outcomes, trials
from experiments.tableau.triples import EditKind
from tools.editing.attempts import Attempts, Tried
from tools.editing.difference import difference
from tools.editing.verify import Check, Verifier
from tools.scoring.intervals import bootstrap_mean, wilson

Wear = Callable[[Sequence[Image.Image], int], list[Image.Image]]
"""Pictures as an editor would give them back if it changed nothing, for a seed."""
BATCH = 16


def share(hits: int, of: int) -> dict[str, Any] | None:
    """Wilson's interval of a share; None of nothing."""
    if not of:
        return None
    found = wilson(hits, of)
    return {"value": round(found.value, 4), "ci": [round(found.low, 4), round(found.high, 4)], "n": of}


@dataclass
class Tries:
    """What became of an editor's trials, in the order of `trials`."""

    trials: list[Trial] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Shares proved at the first try and within all, by kind and together, why others were not, and the change of
        pixels outside the region in what was proved (mean |Δ|, 0 to 1)."""
        kinds = {kind: self._shares(kind) for kind in TRIED if self._of(kind)}
        return {
            "n": len(self.tried),
            **self._shares(None),
            "kinds": kinds,
            "outside": self._outside(),
            "reasons": dict(self._reasons().most_common()),
        }

    def _of(self, kind: EditKind | None) -> list[Tried]:
        return [
            one
            for trial, one in zip(self.trials, self.tried, strict=True)
            if kind is None or trial.kind == kind
        ]

    def _shares(self, kind: EditKind | None) -> dict[str, Any]:
        chosen = self._of(kind)
        first = [one.attempts[0] for one in chosen]
        return {
            "intended_first": share(sum(_intended(one.check) for one in first), len(chosen)),
            "intended_within": share(
                sum(any(_intended(each.check) for each in one.attempts) for one in chosen), len(chosen)
            ),
            "first_try": share(sum(one.accepted for one in first), len(chosen)),
            "within_three": share(sum(one.picture is not None for one in chosen), len(chosen)),
        }

    def _outside(self) -> dict[str, Any] | None:
        values = [
            check.outside
            for one in self.tried
            if one.picture is not None
            and (check := one.attempts[-1].check) is not None
            and check.outside is not None
        ]
        if not values:
            return None
        mean = bootstrap_mean(np.array(values), seed=0)
        return {
            "value": round(mean.value, 4),
            "ci": [round(mean.low, 4), round(mean.high, 4)],
            "n": len(values),
        }

    def _reasons(self) -> Counter[str]:
        """Why tries were turned down, in words without names."""
        return Counter(
            _plain(reason) for one in self.tried for each in one.attempts for reason in each.reasons
        )


def _intended(check: Check | None) -> bool:
    """Whether what was meant came about, whatever else did."""
    return check is not None and check.meant is not None and check.meant >= 0.5


def _plain(reason: str) -> str:
    for told in (
        "did not come",
        "stayed",
        "changed too",
        "a place outside",
        "everything outside",
        "look like",
    ):
        if told in reason:
            return told
    return reason


def try_editor(attempts: Attempts, n: int, seed: int, kinds: Sequence[EditKind] = TRIED) -> Tries:
    """`n` edits of each kind, each tried as often as `attempts` allows."""
    found = Tries(trials(n, seed, kinds))
    for start in range(0, len(found.trials), BATCH):
        chosen = found.trials[start : start + BATCH]
        found.tried += attempts.edit(
            [one.planned.before.image for one in chosen],
            [one.planned.intent for one in chosen],
            [seed * len(found.trials) + start + place for place in range(len(chosen))],
        )
    return found


@dataclass
class Judgements:
    """What a verifier said of outcomes whose truth is known."""

    outcomes: list[Outcome] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    worn: list[float] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Precision over all outcomes, about nine wrong ones to a right one, and recall over the right ones, each also
        by kind of edit; which wrong outcomes were accepted, and how worn the pictures were (mean |Δ| of pixels against
        the painted ones)."""
        pairs = list(zip(self.outcomes, self.checks, strict=True))
        right = [check.accepted for outcome, check in pairs if outcome.right]
        ways = {
            how: [check.accepted for outcome, check in pairs if outcome.how == how]
            for how in dict.fromkeys(outcome.how for outcome in self.outcomes if not outcome.right)
        }
        accepted = sum(right)
        wrongly = sum(map(sum, ways.values()))
        return {
            "precision": share(accepted, accepted + wrongly),
            "recall": share(accepted, len(right)),
            "recall_by_kind": {
                kind: share(sum(found), len(found))
                for kind in TRIED
                if (found := [c.accepted for o, c in pairs if o.right and o.trial.kind == kind])
            },
            "wrongly_accepted": {how: share(sum(way), len(way)) for how, way in ways.items()},
            "worn": round(float(np.mean(self.worn)), 4),
            "n": len(pairs),
        }


def try_verifier(verifier: Verifier, wear: Wear, n: int, seed: int) -> Judgements:
    """Checks the outcomes of `n` trials of each kind after they were worn: every right one, and every wrong one."""
    rng, found = np.random.default_rng([seed, 7]), Judgements()
    for trial in trials(n, seed):
        done = outcomes(trial, rng)
        worn = wear([one.picture for one in done], int(rng.integers(2**31)))
        planned = trial.planned
        found.outcomes += done
        found.checks += verifier.check([planned.before.image] * len(done), worn, [planned.intent] * len(done))
        found.worn += [
            difference(one.picture, picture, None).outside for one, picture in zip(done, worn, strict=True)
        ]
    return found


def unworn(pictures: Sequence[Image.Image], seed: int) -> list[Image.Image]:
    """Pictures as they are."""
    return list(pictures)
