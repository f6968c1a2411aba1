"""Hard negatives: a component against pairs of test pictures that differ in one thing that its concept says.

Each phrase of the concept is changed where it decides (derivative.py), by the scorer's editor and under the eyes of the
scorer's judge; nothing else that the concept says may change with it. The same pictures, changed in something that the
concept does not mention, tell how specific the component is. Protocol point 4; reads nothing that a planner has made.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from experiments.scoring.rest.sealed import FEWEST, Sealed, Unmeasured
from store.errors import UserError
from store.records import Description, Score
from store.values import Estimate
from tools.scoring.bootstrap import resampled, resamples
from tools.scoring.concept import concept_values, phrases
from tools.scoring.derivative import Decides, decides
from tools.scoring.intervals import wilson
from tools.scoring.retrieval import HOLDS
from tools.stimuli import Change, Pair, Stimulus

NAMES = ("hard_negatives", "off_target")
PAIRS = 24
"""Pairs of a component, shared out among its phrases."""
TRIED = 200
"""Pictures that are tried for one phrase by one change."""
BESIDE = 8
"""Changes beside the concept that are tried in one picture."""
COIN = 0.5
OF_WORDS = ("question ", "answer ")
"""How phrases begin that no change of a picture makes true."""


class Counterfactual(NamedTuple):
    """A pair, the picture that was changed and how, and whether the phrase should raise or lower the component (±1)."""

    pair: Pair
    source: Stimulus
    change: Change
    sign: int


def hard_negatives(sealed: Sealed, frozen: Description) -> dict[str, Score]:
    """Sign accuracy over pairs, and mean |Δ| of changes beside the concept as a share of that of changes in it.

    A pair that moves the component not at all counts as wrong. Without enough changes beside the concept the share is
    left out. Raises Unmeasured where too few pairs come about.
    """
    made = _counterfactuals(sealed, frozen)
    if len(made) < FEWEST:
        raise Unmeasured(f"fewer than {FEWEST} pairs that differ in what the concept says could be made")
    moved = _moved(sealed, frozen, [one.pair for one in made])
    right = moved * np.array([one.sign for one in made]) > 0
    found = {"hard_negatives": sealed.score(wilson(int(right.sum()), len(right)), null=COIN)}
    beside = [_beside(sealed, frozen, one.source, one.change) for one in made]
    kept = np.array([pair is not None for pair in beside])
    if kept.sum() >= FEWEST and moved[kept].any():
        off = _moved(sealed, frozen, [pair for pair in beside if pair is not None])
        share = share_off_target(moved[kept], off, sealed.seed(frozen, "off target"))
        found["off_target"] = sealed.score(share, null=1.0)
    return found


def share_off_target(
    on: Float[np.ndarray, "picture"], off: Float[np.ndarray, "picture"], seed: int
) -> Estimate:
    """Σ|off| / Σ|on|, with a bootstrap over pictures; below 1 is specific. Raises ValueError where nothing moved."""
    if not on.any():
        raise ValueError("a share of no movement is no number")
    drawn = resamples(range(len(on)), seed=seed)
    whole = drawn.weights @ np.abs(on)
    shares = drawn.weights @ np.abs(off) / np.where(whole > 0, whole, np.abs(on).max())
    return resampled(shares[:, None], drawn).estimates()[0]


def _counterfactuals(sealed: Sealed, frozen: Description) -> list[Counterfactual]:
    """Up to PAIRS, each from a picture of its own: half by changing a word of what is there, where that can be done."""
    where = _deciding(frozen.concept)
    if not where:
        raise Unmeasured("no phrase of the concept speaks of the picture and decides it")
    each, found = -(-PAIRS // len(where)), list[Counterfactual]()
    for phrase, decided in where.items():
        swaps = list(islice(_by(sealed, frozen, phrase, decided, "swap", _sources(found)), each // 2))
        used = _sources([*found, *swaps])
        adds = islice(_by(sealed, frozen, phrase, decided, "add", used), each - len(swaps))
        found += [*swaps, *adds]
    return found[:PAIRS]


def _sources(made: list[Counterfactual]) -> set[str]:
    return {one.source.key for one in made}


def _deciding(concept: str) -> dict[str, Decides]:
    found = {
        phrase: decides(concept, phrase) for phrase in phrases(concept) if not phrase.startswith(OF_WORDS)
    }
    return {phrase: decided for phrase, decided in found.items() if decided is not None}


def _by(
    sealed: Sealed, frozen: Description, phrase: str, decided: Decides, change: Change, used: set[str]
) -> Iterator[Counterfactual]:
    """Pairs for one phrase, from test pictures in an order of their own."""
    suited = (sealed.presence(phrase) >= HOLDS) == (change != "add")
    if decided.given:
        suited = suited & (sealed.presence(decided.given) >= HOLDS)
    order = sealed.chance(frozen, "pairs", phrase, change).permutation(np.flatnonzero(suited))
    for number in order[:TRIED].tolist():
        source = sealed.test.asked(number)
        pair = _changed(sealed, frozen, source, phrase, change)
        if pair is None or source.key in used:
            continue
        if _tells_apart(sealed, frozen.concept, pair, decided):
            yield Counterfactual(pair, source, change, decided.sign)


def _changed(
    sealed: Sealed, frozen: Description, source: Stimulus, phrase: str, change: Change
) -> Pair | None:
    """None where this picture, or these words, do not allow it, or where what is read at words has none."""
    seed = sealed.seed(frozen, "pair", source.key, phrase, change) % 2**16
    try:
        pair = sealed.editor.pair(source, phrase, change, seed)
    except UserError:
        return None
    worded = frozen.reading.scope == "visual" or (pair is not None and bool(pair.with_.question))
    return pair if worded else None


def _tells_apart(sealed: Sealed, concept: str, pair: Pair, decided: Decides) -> bool:
    """Whether the judge sees the phrase on the one side alone, all else that the concept says on both or on neither,
    and where the phrase decides."""
    words = phrases(concept)
    holds = _holds(sealed, pair, words)
    own = words.index(pair.concept)
    alone = holds[0] == holds[1]
    alone[own] = not holds[0, own] and holds[1, own]
    table = dict(zip(words, holds[1].astype(np.float64), strict=True))
    given = not decided.given or float(concept_values(decided.given, lambda w: np.array(table[w]))) >= HOLDS
    return bool(alone.all()) and given


def _beside(sealed: Sealed, frozen: Description, source: Stimulus, change: Change) -> Pair | None:
    """The picture changed in the same way, in something that shares no word with the concept; the judge finds all that
    the concept says as it was."""
    words = phrases(frozen.concept)
    said = {word for phrase in words for word in phrase.split()}
    free = [phrase for phrase in sealed.vocabulary if not said & (set(phrase.split()) - {"thing"})]
    chance = sealed.chance(frozen, "beside", source.key)
    order = [free[place] for place in chance.permutation(len(free))]
    there = sealed.seen([source], order)[0] >= HOLDS if order else np.zeros(0, bool)
    suited = [phrase for phrase, held in zip(order, there, strict=True) if held == (change != "add")]
    for phrase in suited[:BESIDE]:
        pair = _changed(sealed, frozen, source, phrase, change)
        if pair is None:
            continue
        holds = _holds(sealed, pair, (phrase, *words))
        if holds[1, 0] and not holds[0, 0] and (holds[0, 1:] == holds[1, 1:]).all():
            return pair
    return None


def _holds(sealed: Sealed, pair: Pair, words: tuple[str, ...]) -> Bool[np.ndarray, "side phrase"]:
    return sealed.seen([pair.without, pair.with_], words) >= HOLDS


def _moved(sealed: Sealed, frozen: Description, pairs: list[Pair]) -> Float[np.ndarray, "pair"]:
    """With less without, larger meaning more of what was said."""
    shown = [*(pair.with_ for pair in pairs), *(pair.without for pair in pairs)]
    with_, without = sealed.values(frozen, shown).reshape(2, -1)
    return with_ - without
