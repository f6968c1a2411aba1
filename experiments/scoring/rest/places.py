"""Places: does a neuron light where the things lie that its words name, token by token?

The map of activations over test pictures in which the concept holds, against the visual tokens of what makes it hold.
What a map reaches anyway is the larger of two shares: of tokens that are marked, and what it reaches against the marks
of other pictures (a neuron that likes the middle of pictures finds things there). Only where the world knows masks.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from experiments.scoring.rest.sealed import FEWEST, Sealed, Unmeasured
from store.address import parse
from store.errors import UserError
from store.records import Description, Score
from store.values import Estimate
from tools.pools import turned
from tools.scoring.bootstrap import resampled, resamples
from tools.scoring.concept import read
from tools.scoring.retrieval import HOLDS, average_precision
from tools.stimuli import Stimulus

NAMES = ("places",)
PICTURES = 48
"""Maps of a component."""


def places(sealed: Sealed, frozen: Description) -> dict[str, Score]:
    """AUPRC of the map against the marked tokens of its own picture; the interval is over pictures.

    Raises Unmeasured for what has no map, where the world knows no masks, and for words that speak of no place.
    """
    address = parse(frozen.component)
    if address.part != "mlp" or frozen.reading.scope != "visual":
        raise Unmeasured("only neurons that are read at visual tokens have a map of their own")
    held = np.flatnonzero(sealed.presence(frozen.concept) >= HOLDS)
    drawn = sealed.chance(frozen, "places").permutation(held)[:PICTURES]
    stimuli = [sealed.test.picture(int(number)) for number in np.sort(drawn)]
    marks = [_marked(sealed, frozen, stimulus) for stimulus in stimuli]
    useful = [place for place, mark in enumerate(marks) if mark.any() and not mark.all()]
    if len(useful) < FEWEST:
        raise Unmeasured(f"the concept has a place in fewer than {FEWEST} test pictures")
    shown, marked = [stimuli[place] for place in useful], np.stack([marks[place] for place in useful])
    maps = turned(sealed.workplace.activations.maps(address, shown), frozen.reading)
    over = maps.reshape(len(shown), -1).astype(np.float64)
    if over.shape != marked.shape:
        raise Unmeasured("the world's masks don't fit the model's visual tokens")
    reached = found_by_map(over, marked, sealed.seed(frozen, "places over pictures"))
    elsewhere = found_by_map(over, np.roll(marked, 1, axis=0), 0, draws=1).value
    return {"places": sealed.score(reached, null=max(float(marked.mean()), elsewhere))}


def found_by_map(
    over: Float[np.ndarray, "picture token"],
    marked: Bool[np.ndarray, "picture token"],
    seed: int,
    draws: int = 1000,
) -> Estimate:
    """AUPRC of marked tokens when all tokens of all pictures are ranked by the map; whole pictures are resampled."""
    groups = np.repeat(np.arange(len(over)), over.shape[1]).tolist()
    drawn = resamples(groups, draws=draws, seed=seed)
    values = average_precision(marked.reshape(-1), over.reshape(-1), drawn.weights)
    return resampled(values[:, None], drawn).estimates()[0]


def _marked(sealed: Sealed, frozen: Description, stimulus: Stimulus) -> Bool[np.ndarray, "token"]:
    region = sealed.workplace.world.region
    if region is None:
        raise Unmeasured("these pictures come without masks of what is in them")
    try:
        return region(read(frozen.concept), stimulus)
    except (UserError, ValueError):
        raise Unmeasured("the concept speaks of what has no place in the picture") from None
