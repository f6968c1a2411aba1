"""Labels without experiments: what a planner must beat to be worth its experiments.

Each baseline sees what the planner sees (activations and pictures of `train`, the planner's judge and describer) and
gives a concept under a reading. Knows how each of them chooses; runs.py freezes what they say and has it tested blind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import nnls

from agent.builtin.candidates import candidates
from agent.thread import Left, ThreadView
from experiments.scoring.classes import searched
from experiments.scoring.judged import Judged
from experiments.workplace import Workplace
from store.address import Address, parse
from store.records import Reading, Scope, Sign
from tools.methods.crops import crops
from tools.pools import side
from tools.scoring.correlation import correlations, standardized
from tools.stimuli import Stimulus

EXEMPLARS = 16
"""Most active pictures that are described once."""
TERMS = 4
"""Phrases of a weighted sum, at most."""
LEFT_OVER = 0.2
"""Correlation with what other phrases leave over, below which a phrase adds nothing."""
LIGHTEST = 0.05
"""Share below which a phrase of a sum is left out."""


class Guess(NamedTuple):
    """A concept and the reading that it is about; an empty concept says nothing."""

    concept: str = ""
    reading: Reading = Reading()


NOTHING = Guess()


@dataclass(frozen=True)
class Seen:
    """What there is to choose from: the workplace, and the planner's run, whose first look one baseline borrows."""

    workplace: Workplace
    run: str

    @cached_property
    def stimuli(self) -> list[Stimulus]:
        train = self.workplace.world.train
        return [train.asked(number) for number in range(len(train))]

    @cached_property
    def phrases(self) -> tuple[str, ...]:
        return searched(self.workplace.world)

    @cached_property
    def presence(self) -> Float[np.ndarray, "phrase stimulus"]:
        """What the planner's judge says of every picture of `train`."""
        world = self.workplace.world
        return Judged(
            world.judge, world.train, name=world.judge_name, folder=self.workplace.cache / "judged"
        ).columns(self.phrases)

    def values(self, component: str, reading: Reading) -> Float[np.ndarray, "stimulus"]:
        """On all of `train`, turned so that larger means more; NaN where the reading has no tokens."""
        pooled = self.workplace.activations.pooled([parse(component)], self.stimuli)
        return side(pooled, reading)[:, 0].astype(np.float64)


Baseline = Callable[[Seen, str], Guess]


def one_shot(seen: Seen, component: str) -> Guess:
    """The phrase that most of the top exemplars show where the component is hottest; of equals the most specific."""
    address = parse(component)
    scope: Scope = "answer" if _head_of_words(address) else "visual"
    reading = Reading(scope=scope)
    values = seen.values(component, reading)
    if not np.isfinite(values).all():
        return NOTHING
    shown = [seen.stimuli[i] for i in np.argsort(-values, kind="stable")[:EXEMPLARS]]
    boxes = seen.workplace.adapter.boxes(*shown[0].image.size).boxes
    heat = seen.workplace.activations.maps(address, shown)
    hot = [crops(one.image, over, boxes).hot for one, over in zip(shown, heat, strict=True)]
    told = Counter(phrase for said in seen.workplace.describer.describe(hot) for phrase in set(said))
    if not told:
        return NOTHING
    return Guess(min(told, key=lambda phrase: (-told[phrase], -_says(phrase), phrase)), reading)


def best_match(seen: Seen, component: str) -> Guess:
    """The phrase whose presence correlates best with the component, over all readings (CLIP-Dissect style)."""
    found = []
    for reading in readings(parse(component)):
        values = seen.values(component, reading)
        if np.isfinite(values).all():
            rho = correlations(seen.presence, values[:, None])[:, 0]
            found.append((float(rho.max()), Guess(seen.phrases[int(rho.argmax())], reading)))
    strength, guess = max(found, key=lambda one: one[0], default=(0.0, NOTHING))
    return guess if strength > 0 else NOTHING


def linear(seen: Seen, component: str) -> Guess:
    """The weighted sum of at most TERMS phrases, weights above 0, under the reading of the best match.

    One phrase after the other is taken, whichever tells most of what the others leave over (matching pursuit): a fit of
    all at once would put weight on sets that always add up to the same, such as all backgrounds.
    """
    single = best_match(seen, component)
    if not single.concept:
        return NOTHING
    values = standardized(seen.values(component, single.reading)[:, None])[:, 0]
    centered = seen.presence - seen.presence.mean(axis=1, keepdims=True)
    chosen: list[int] = []
    weights, left = np.zeros(0), values
    while len(chosen) < TERMS:
        rho = correlations(centered, left[:, None])[:, 0]
        best = int(rho.argmax())
        if best in chosen or rho[best] < LEFT_OVER:
            break
        chosen.append(best)
        weights = nnls(centered[chosen].T, values)[0]
        left = values - centered[chosen].T @ weights
    shares = weights / (weights.sum() or 1)
    terms = [(share, seen.phrases[i]) for share, i in zip(shares, chosen, strict=True) if share >= LIGHTEST]
    if len(terms) < 2:
        return single
    return Guess(
        " + ".join(f"{share:.2f} {phrase}" for share, phrase in sorted(terms, reverse=True)), single.reading
    )


def random_text(seen: Seen, component: str) -> Guess:
    """Any phrase of the describer's."""
    chance = np.random.default_rng([seen.workplace.seed, *component.encode()])
    return Guess(str(chance.choice(seen.workplace.world.describer.vocabulary())))


def first_candidate(seen: Seen, component: str) -> Guess:
    """What the built-in planner would say after its first look, without a single experiment; nothing where another
    planner ran."""
    workplace = seen.workplace
    view = ThreadView(
        subject=parse(component),
        target=workplace.target.name,
        family=workplace.target.family,
        seed=workplace.seed,
        step=1,
        left=Left(steps=0),
        experiments=tuple(
            one
            for one in workplace.store.queries.experiments(seen.run, component)
            if one.tool == "describe" and one.step == 0
        ),
    )
    found = candidates(view)
    return Guess(found[0].concept, found[0].reading) if found else NOTHING


BASELINES: dict[str, Baseline] = {
    "one_shot": one_shot,
    "best_match": best_match,
    "linear": linear,
    "random_text": random_text,
    "first_candidate": first_candidate,
}


def readings(address: Address) -> list[Reading]:
    """Both signs at every kind of token that the component has; a head has one sign."""
    scopes: tuple[Scope, ...] = ("visual",) if address.tower == "vision" else ("visual", "question", "answer")
    signs: tuple[Sign, ...] = ("+",) if address.part == "head" else ("+", "-")
    return [Reading(sign=sign, scope=scope) for scope in scopes for sign in signs]


def _head_of_words(address: Address) -> bool:
    return address.part == "head" and address.tower == "language"


def _says(phrase: str) -> int:
    """How many words of a phrase say something."""
    return len(set(phrase.split()) - {"thing", "background"})
