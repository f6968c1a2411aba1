"""The paper's relations as claims with a bar: present, undetermined, or not present in this target.

A claim is present where the whole interval reaches its bar, not present where the whole interval stays below, and
undetermined between; what can't be measured is not told. Pure: knows arrays that were measured on the same items.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.reproduce.neo.ablation import Readout
from experiments.reproduce.neo.blocking import BESIDE, Blocking
from experiments.reproduce.neo.lens import Lens
from experiments.reproduce.neo.measured import Measured
from store.values import Estimate
from tools.methods.token_sets import SetName
from tools.scoring.intervals import bootstrap_mean, wilson

PRESENT, UNDETERMINED, ABSENT = "present", "undetermined", "not present in this target"
NOT_TOLD = "not told"
POINTS = 0.30
"""By how much more often right answers flip without the object and one ring than without random tokens."""
QUOTED = 0.02
"""Flips without random tokens below which no ratio is quoted."""
TIMES = 5.0
BEYOND_GRADIENTS = 1.2
"""Times that the object and one ring flip as often as what gradients choose; the paper's own are 1.35 to 3.25."""
REGISTERS = 0.10
DEPTH = 0.6
LAST_ROW = 0.02
WINDOWS = ("mid-late", "late")
DRAWS = 2000


class Relation(NamedTuple):
    """One claim. `found` is None where it can't be told, and `why` then says why; elsewhere `why` says what stands in
    its way. `bar` is what the value must reach, or with `most` stay below."""

    name: str
    claim: str
    found: Estimate | None
    bar: float
    most: bool = False
    control: float | None = None
    why: str = ""

    @property
    def verdict(self) -> str:
        if self.found is None:
            return NOT_TOLD
        low, high = self.found.low, self.found.high
        if self.most:
            return PRESENT if high <= self.bar else ABSENT if low > self.bar else UNDETERMINED
        above = low >= self.bar if self.bar else low > 0
        return PRESENT if above else ABSENT if high < self.bar or high <= 0 else UNDETERMINED

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "claim": self.claim,
            "verdict": self.verdict,
            "found": self.found.as_json() if self.found else None,
            "bar": {"at most" if self.most else "at least": self.bar},
            "control": None if self.control is None else round(self.control, 6),
            "why": self.why,
        }


def relations(found: Measured, untrained: Measured | None, seed: int) -> list[Relation]:
    """Every claim, in the paper's order."""
    told: list[Relation] = []
    for name, readout in found.readouts.items():
        if readout.wrong:
            told += _ablation(name, readout, seed)
    told += _lens(found.lens, untrained.lens if untrained else None, seed)
    if found.blocking is not None:
        told += _blocking(found.blocking, seed)
    return told


def _ablation(name: str, readout: Readout, seed: int) -> Iterator[Relation]:
    random = _flips(readout, "random+1")
    yield Relation(
        f"{name}: object+1 − random",
        f"{name}: without the object and one ring, right answers flip {POINTS * 100:.0f} points more often than "
        "without as many random tokens",
        _difference(readout, "object+1", "random+1", seed),
        POINTS,
        control=random,
    )
    quoted = random is not None and random >= QUOTED
    yield Relation(
        f"{name}: object+1 ÷ random",
        f"{name}: they flip {TIMES:.0f} times as often",
        _ratio(readout, "random+1", seed) if quoted else None,
        TIMES,
        control=random,
        why="" if quoted else f"random tokens flip fewer than {QUOTED:.0%}: a ratio is not quoted",
    )
    if "gradients+1" in readout.wrong:
        yield Relation(
            f"{name}: object+1 − gradients",
            f"{name}: they flip more often than without as many tokens of largest integrated gradients",
            _difference(readout, "object+1", "gradients+1", seed),
            0.0,
            control=_flips(readout, "gradients+1"),
        )
        beside = _flips(readout, "gradients+1")
        told = beside is not None and beside >= QUOTED
        yield Relation(
            f"{name}: object+1 ÷ gradients",
            f"{name}: they flip {BEYOND_GRADIENTS} times as often as without as many tokens of largest integrated "
            "gradients",
            _ratio(readout, "gradients+1", seed) if told else None,
            BEYOND_GRADIENTS,
            control=beside,
            why=within_reach(beside),
        )
    right = int(readout.right.sum())
    yield Relation(
        f"{name}: register",
        f"{name}: without register tokens at most {REGISTERS:.0%} flip",
        wilson(int(readout.flips("register").sum()), right) if right else None,
        REGISTERS,
        most=True,
        control=_flips(readout, "random register"),
        why="" if right else "no answer was right before",
    )


def within_reach(share: float | None) -> str:
    """Why BEYOND_GRADIENTS times a share of flips can't be quoted, or can't be reached; "" where it can."""
    if share is None or share < QUOTED:
        return f"tokens by gradients flip fewer than {QUOTED:.0%}: a ratio is not quoted"
    most = 1 / share
    return (
        f"nearly all flip by gradients alone: at most {most:.2f} is possible"
        if most < BEYOND_GRADIENTS
        else ""
    )


def _lens(lens: Lens, untrained: Lens | None, seed: int) -> Iterator[Relation]:
    word = lens.first
    sure = np.isfinite(word.best.chance)
    pairs = (
        ("ground", "than as many tokens of the ground", word.best.share - word.best_ground, word.best_ground),
        (
            "other words",
            "than to other things' words",
            (word.best.share - word.best.chance)[sure],
            word.best.chance[sure],
        ),
    )
    for name, than, beyond, control in pairs:
        yield Relation(
            f"lens: object − {name}",
            f"in its best layer, more of an object's tokens point to its class {than}",
            _mean(beyond, seed),
            0.0,
            control=float(control.mean()) if len(control) else None,
        )
    if untrained is not None:
        yield Relation(
            "lens: object − untrained copy",
            "in its best layer, more of an object's tokens point to its class than in an untrained copy",
            _apart(word.best.share, untrained.first.best.share, seed),
            0.0,
            control=float(untrained.first.best.share.mean()),
        )
    yield Relation(
        "lens: depth",
        f"the best layer lies {DEPTH:.0%} of the way down or deeper",
        _mean(word.deep, seed),
        DEPTH,
        why="" if len(word.deep) > 1 else "no token ever points to a class",
    )
    for third, falls in (("middle", True), ("last", False)):
        change = lens.change(third, "thing")
        yield Relation(
            f"entropy: {third} third",
            f"over the {third} third of the layers, what an object's tokens say {'narrows' if falls else 'widens'}",
            _mean(-change if falls else change, seed),
            0.0,
        )


def _blocking(found: Blocking, seed: int) -> Iterator[Relation]:
    for window in WINDOWS:
        for edges in ("object → last", "object+1 → last"):
            control = found.lost(BESIDE[edges], window)
            yield Relation(
                f"knockout: {edges}, {window}",
                f"in {window} layers the last position loses more by the {edges.partition(' ')[0]} tokens than by as "
                "many random visual tokens (probability of the right answer)",
                _mean(found.lost(edges, window) - control, seed),
                0.0,
                control=float(control.mean()),
            )
        rest = found.lost("rest → last", window)
        yield Relation(
            f"knockout: object+1 − rest, {window}",
            f"in {window} layers the last position loses more by object+1 than by all other visual tokens",
            _mean(found.lost("object+1 → last", window) - rest, seed),
            0.0,
            control=float(rest.mean()),
        )
    for edges in ("object+1 → last row", "rest → last row"):
        kept = found.still(edges, "all")
        yield Relation(
            f"knockout: {edges}",
            f"blocked in all layers, {edges} costs at most {LAST_ROW:.0%} of right answers",
            wilson(int((~kept).sum()), len(kept)) if found.right else None,
            LAST_ROW,
            most=True,
            why="" if found.right else "no answer was right before",
        )


def _flips(readout: Readout, name: SetName) -> float | None:
    return float(readout.flips(name).mean()) if readout.right.any() else None


def _difference(readout: Readout, one: SetName, other: SetName, seed: int) -> Estimate | None:
    return _mean(readout.flips(one) - readout.flips(other), seed)


def _ratio(readout: Readout, beside: SetName, seed: int) -> Estimate | None:
    """Flips without object+1 over flips without the other set, resampled over items; draws without any of the latter
    count as one flip."""
    one, other = readout.flips("object+1"), readout.flips(beside)
    n = len(one)
    if n < 2:
        return None
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=DRAWS)
    drawn = (weights @ one) / np.maximum(weights @ other, 1)
    value = float(one.sum() / max(other.sum(), 1))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(value, min(float(low), value), max(float(high), value), n)


def _apart(one: Float[np.ndarray, "item"], other: Float[np.ndarray, "item"], seed: int) -> Estimate | None:
    """Of the same items in both targets; None where they are not the same."""
    return _mean(one - other, seed) if len(one) == len(other) else None


def _mean(values: Float[np.ndarray, "value"], seed: int) -> Estimate | None:
    return bootstrap_mean(values, seed=seed) if len(values) > 1 else None
