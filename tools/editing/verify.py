"""Proof of an edit: did what was meant come about, did nothing else, and does the picture still look like the data?

Knows a judge's words, pixels and what pictures usually look like; knows nothing about the model that edited, nor about
the model under study, with which the judge shares no weights. A judge errs: how often this verifier does is measured
where the truth is known (`bench edits`) and stands beside every rate of acceptance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from PIL import Image

from store.records import Model
from tools.editing.difference import Difference, difference
from tools.editing.intent import Intent
from tools.editing.likeness import Likeness
from tools.editing.tally import PROVED
from tools.judging import ConceptJudge, Counting

UNCHECKED = "unchanged elsewhere; the change itself is not checked"
"""What is known of an accepted edit of which nobody can say in phrases what it brings about."""


@dataclass(frozen=True)
class Limits:
    """What is accepted. `sure` is the least probability of what was meant; `swing` the most by which that of any other
    phrase may change; `odd` the most by which a number of things may be off; `outside` and `worst` are mean |Δ| of
    pixels from 0 to 1 (difference.py); `usual` is the least p-value of looking like the data (likeness.py).

    An autoencoder alone leaves up to .11 and .38 outside, and more where nothing but edges and signs lies there, so
    that pixels decide only where something is plainly broken. Chosen on 168 trials of one seed (301, `bench edits`);
    what they are worth is measured on others.
    """

    sure: float = 0.5
    swing: float = 0.5
    odd: float = 0.5
    outside: float = 0.12
    worst: float = 0.4
    usual: float = 0.01


class Check(Model):
    """What was found of one edit; `reasons` says why it is not accepted, in plain words, and is empty if it is.

    `meant` is the least probability among what was to come and what was to go (1 − presence); `flipped` are the other
    phrases that changed, and `odd` is by how much a number of things is off at most. `meant` is None where the intent
    says neither, so that an accepted edit is UNCHECKED; `odd` where nobody counts; `inside`, `outside`, `worst` and
    `similarity` where the region is not known, `worst` also where no whole square lies outside of it; `usual` where
    nobody can say what the data look like.
    """

    meant: float | None
    flipped: tuple[str, ...] = ()
    odd: float | None = None
    inside: float | None = None
    outside: float | None = None
    worst: float | None = None
    similarity: float | None = None
    usual: float | None = None
    reasons: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        return not self.reasons

    @property
    def told(self) -> str:
        """What the check is worth, in words."""
        if self.reasons:
            return f"turned down: {self.reasons[0]}"
        return UNCHECKED if self.meant is None else PROVED


class Verifier:
    """Checks edits by a judge that is blind to the model under study; `likeness` is None where data are not at hand."""

    def __init__(
        self, judge: ConceptJudge, judge_name: str, likeness: Likeness | None, limits: Limits | None = None
    ) -> None:
        self.judge = judge
        self.judge_name = judge_name
        self.likeness = likeness
        self.limits = limits or Limits()

    def check(
        self, befores: Sequence[Image.Image], afters: Sequence[Image.Image], intents: Sequence[Intent]
    ) -> list[Check]:
        """One check an edit, in order. Each depends on its own pictures and intent alone.

        Raises UserError for a phrase that the judge does not know or a picture that it can't look at, and ValueError
        where the sides of an edit whose region is known differ in size.
        """
        if not afters:
            return []
        phrases = list(dict.fromkeys(phrase for intent in intents for phrase in _all(intent)))
        column = {phrase: place for place, phrase in enumerate(phrases)}
        seen = self.judge.present([*befores, *afters], phrases).reshape(2, len(afters), len(phrases))
        usual = self.likeness.p_values(afters) if self.likeness is not None else None
        more = self._counted(befores, afters, intents)
        return [
            self._one(
                before,
                after,
                intent,
                seen[:, place, [column[phrase] for phrase in _all(intent)]],
                more[place],
                None if usual is None else float(usual[place]),
            )
            for place, (before, after, intent) in enumerate(zip(befores, afters, intents, strict=True))
        ]

    def _counted(
        self, befores: Sequence[Image.Image], afters: Sequence[Image.Image], intents: Sequence[Intent]
    ) -> list[dict[str, float]]:
        """By how much the number of things of each phrase that is to be counted rose; nothing where nobody counts."""
        phrases = list(dict.fromkeys(phrase for intent in intents for phrase, _ in intent.numbers))
        if not phrases or not isinstance(self.judge, Counting):
            return [{} for _ in intents]
        counts = self.judge.counted([*befores, *afters], phrases).reshape(2, len(afters), len(phrases))
        return [dict(zip(phrases, map(float, row), strict=True)) for row in counts[1] - counts[0]]

    def _one(
        self,
        before: Image.Image,
        after: Image.Image,
        intent: Intent,
        seen: Float32[np.ndarray, "side phrase"],
        more: dict[str, float],
        usual: float | None,
    ) -> Check:
        come, gone = len(intent.come), len(intent.come) + len(intent.gone)
        meant = np.concatenate([seen[1, :come], 1 - seen[1, come:gone]])
        flipped = tuple(np.array(intent.kept)[_flipped(seen[:, gone:], self.limits.swing)].tolist())
        apart = difference(before, after, intent.region) if intent.region is not None else None
        off = [abs(more[phrase] - wanted) for phrase, wanted in intent.numbers if phrase in more]
        return Check(
            meant=float(meant.min()) if meant.size else None,
            flipped=flipped,
            odd=max(off, default=None),
            **(apart._asdict() if apart is not None else {}),
            usual=usual,
            reasons=tuple(self._reasons(intent, meant, flipped, more, apart, usual)),
        )

    def _reasons(
        self,
        intent: Intent,
        meant: Float32[np.ndarray, "phrase"],
        flipped: tuple[str, ...],
        more: dict[str, float],
        apart: Difference | None,
        usual: float | None,
    ) -> list[str]:
        limits, found = self.limits, []
        wanted = [
            *(f"`{one}` did not come" for one in intent.come),
            *(f"`{one}` stayed" for one in intent.gone),
        ]
        found += [told for told, sure in zip(wanted, meant, strict=True) if sure < limits.sure]
        if flipped:
            further = f" and {len(flipped) - 3} more" if len(flipped) > 3 else ""
            found.append(f"{', '.join(f'`{one}`' for one in flipped[:3])}{further} changed too")
        found += [
            f"{more[phrase]:+.0f} of `{phrase}` came about, not {wanted:+d}"
            for phrase, wanted in intent.numbers
            if abs(more.get(phrase, wanted) - wanted) > limits.odd
        ]
        if apart is None or apart.worst is None:
            pass  # nothing but edges lies outside, and edges blur
        elif apart.worst > limits.worst:
            found.append(
                f"a place outside the region changed by {apart.worst:.2f} of the scale (at most {limits.worst:g})"
            )
        elif apart.outside > limits.outside:
            found.append(
                f"everything outside the region changed by {apart.outside:.3f} (at most {limits.outside:g})"
            )
        if usual is not None and usual < limits.usual:
            found.append(f"it does not look like the data (p = {usual:.3f}, at least {limits.usual:g})")
        return found


def _all(intent: Intent) -> list[str]:
    """Every phrase of which the intent says something."""
    return [*intent.come, *intent.gone, *intent.kept]


def _flipped(kept: Float32[np.ndarray, "side phrase"], swing: float) -> np.ndarray:
    """Which phrases are seen on one side and not on the other, by a change of probability of more than `swing`."""
    across = (kept[0] >= 0.5) != (kept[1] >= 0.5)
    return across & (np.abs(kept[1] - kept[0]) > swing)
