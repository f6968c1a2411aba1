"""What each head restores when it is moved from clean runs into corrupt ones.

Denoising as in Zhang and Nanda 2024: Σ (m_patched − m_corrupt) / Σ (m_clean − m_corrupt) over pairs, m the logit of the
clean answer minus that of the other. Knows pairs with two answers and a list of heads; chance is what pairs whose sides
are tossed give. Knows nothing about which corruption a pair comes from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from store.address import Address
from store.values import Estimate
from tools.methods.attention import spearman
from tools.scoring.intervals import bootstrap_mean
from tools.stimuli import Stimulus

if TYPE_CHECKING:
    from tools.context import ToolContext
    from tools.engine.engine import Engine

DRAWS = 1000
FLIPS = 1000
"""Tosses of the pairs' sides."""
HALVES = 200
"""Ways to split pairs in half."""
LEAST_GAP = 0.05
"""Mean gap, in logits, below which shares of it would be noise."""

Weights = Float[np.ndarray, "draw pair"]


class Couple(NamedTuple):
    """Clean and corrupt side, and the answer that holds on the clean one beside the other."""

    clean: Stimulus
    corrupt: Stimulus
    answers: tuple[str, str]


class Effects(NamedTuple):
    """Margins of both runs in logits, and how much of them each head brings back, head by pair."""

    clean: Float[np.ndarray, "pair"]
    corrupt: Float[np.ndarray, "pair"]
    restored: Float[np.ndarray, "head pair"]

    @property
    def gaps(self) -> Float[np.ndarray, "pair"]:
        return self.clean - self.corrupt

    @property
    def shares(self) -> Float[np.ndarray, "head"]:
        """Of the gap that each head restores: a ratio of sums."""
        return np.asarray(self.restored.sum(axis=1) / self.gaps.sum())

    def drawn(self, weights: Weights) -> Float[np.ndarray, "draw head"]:
        """The shares under other weights of the pairs."""
        return np.asarray((weights @ self.restored.T) / (weights @ self.gaps)[:, None])

    def of(self, chosen: Sequence[int]) -> Effects:
        """The same of some pairs."""
        index = list(chosen)
        return Effects(self.clean[index], self.corrupt[index], self.restored[:, index])

    def gap(self, seed: int) -> Estimate:
        return bootstrap_mean(self.gaps, seed=seed)


def margins(engine: Engine, couples: Sequence[Couple], tokens: Sequence[tuple[int, int]]) -> Effects:
    """Both runs alone, without heads."""
    return _effects(engine, couples, tokens, ())


def head_effects(context: ToolContext, couples: Sequence[Couple], heads: Sequence[Address]) -> Effects:
    """Every head at all positions, one row a pair; both sides of a pair must have as many tokens."""
    return _effects(context.engine, couples, answer_tokens(context, couples), heads)


def answer_tokens(context: ToolContext, couples: Sequence[Couple]) -> list[tuple[int, int]]:
    """Raises ValueError for an answer that is not one token of the target."""
    found = []
    for couple in couples:
        first, second = (context.adapter.token(word) for word in couple.answers)
        if first is None or second is None or first == second:
            raise ValueError(f"{couple.answers} are not two answers of one token each")
        found.append((first, second))
    return found


def _effects(
    engine: Engine,
    couples: Sequence[Couple],
    tokens: Sequence[tuple[int, int]],
    heads: Sequence[Address],
) -> Effects:
    from tools.engine.plan import Intervention, Plan, Row, Swap
    from tools.targets.sites import site_of

    stimuli = [side for couple in couples for side in (couple.clean, couple.corrupt)]
    rows = [Row(number) for number in range(len(stimuli))]
    for head in heads:
        site, unit = site_of(head)
        rows += [
            Row(number + 1, (Intervention(site, unit, "all", Swap(number)),))
            for number in range(0, len(stimuli), 2)
        ]
    logits = engine.run(Plan(stimuli, rows)).logits.double().cpu().numpy()
    first, second = np.array(tokens).T
    pairs = np.arange(len(couples))
    plain, moved = (
        logits[: len(stimuli)],
        logits[len(stimuli) :].reshape(len(heads), len(couples), logits.shape[1]),
    )
    clean, corrupt = (plain[side::2][pairs, first] - plain[side::2][pairs, second] for side in (0, 1))
    patched = moved[:, pairs, first] - moved[:, pairs, second]
    return Effects(clean, corrupt, patched - corrupt)


def resamples(n: int, seed: int, draws: int = DRAWS) -> Weights:
    """How often each of `n` pairs comes in resamples of as many."""
    return np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws).astype(np.float64)


def interval(drawn: Float[np.ndarray, "draw"], value: float, n: int) -> Estimate:
    """Percentiles of resamples, widened to hold the value."""
    sound = drawn[np.isfinite(drawn)]
    low, high = np.quantile(sound, [0.025, 0.975]) if len(sound) else (value, value)
    return Estimate(value, min(float(low), value), max(float(high), value), n)


def by_chance(effects: Effects, seed: int) -> float:
    """The share that the largest head (either sign) reaches in at most one of 20 cases when every pair's sides keep or
    change places by the toss of a coin: what lies beyond holds of all heads together."""
    tossed = np.random.default_rng(seed).choice([-1.0, 1.0], size=(FLIPS, len(effects.gaps)))
    largest = np.abs(tossed @ effects.restored.T).max(axis=1)
    return float(np.quantile(largest, 0.95) / effects.gaps.sum())


def agreement(first: Effects, second: Effects, seed: int) -> Estimate:
    """Rank correlation over heads of two corruptions' shares on the same pairs, resampled over these."""
    weights = resamples(len(first.gaps), seed, draws=400)
    drawn = [spearman(*both) for both in zip(first.drawn(weights), second.drawn(weights), strict=True)]
    return interval(np.array(drawn), spearman(first.shares, second.shares), len(first.gaps))


def reliability(effects: Effects, seed: int) -> Estimate:
    """Rank correlation of shares between random halves of the pairs, stepped up to all pairs (Spearman 1910, Brown
    1910): as much as any other ranking can be expected to agree. The interval is over ways to split."""
    random, n = np.random.default_rng(seed), len(effects.gaps)
    found = []
    for _ in range(HALVES):
        order = random.permutation(n).tolist()
        half = spearman(effects.of(order[: n // 2]).shares, effects.of(order[n // 2 :]).shares)
        found.append(2 * half / (1 + half) if half > 0 else half)
    return interval(np.array(found), float(np.mean(found)), n)
