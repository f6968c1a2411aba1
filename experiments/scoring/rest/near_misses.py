"""Near misses: test pictures that excite a component's closest relatives, but lack what its words say.

Does it keep still there? Told as the percentile that its value reaches among its values on test pictures that have what
the words say. Relatives are components of the same run whose values on test correlate most with its own. Protocol
point 4.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from experiments.scoring.rest.sealed import FEWEST, Sealed, Unmeasured
from store.records import Description, Score
from tools.scoring.correlation import correlations
from tools.scoring.intervals import bootstrap_mean
from tools.scoring.retrieval import HOLDS, active

NAMES = ("near_misses",)
RELATIVES = 5
"""Components whose exemplars are looked at."""
AS_ITS_OWN = 0.5
"""Mean percentile where near misses excite it as what the words say does."""


def near_misses(sealed: Sealed, frozen: Description) -> dict[str, Score]:
    """Mean percentile of the component's value on near misses, among its values where the words hold: 0 is still.

    Raises Unmeasured where the run has no relatives, their exemplars all have what the words say, or nothing has it.
    """
    others = [one for one in sealed.all_frozen if one.component != frozen.component]
    own = sealed.on_test(frozen)
    table = [values for one in others if (values := _values(sealed, one)) is not None]
    if not table:
        raise Unmeasured("the run has no other component to compare with")
    related = np.stack(table, axis=1)
    holds = sealed.presence(frozen.concept) >= HOLDS
    missed = exemplars_of_relatives(own, related) & ~holds
    if missed.sum() < FEWEST:
        raise Unmeasured(f"relatives of the component have fewer than {FEWEST} exemplars without the concept")
    if holds.sum() < FEWEST:
        raise Unmeasured(f"the concept holds in fewer than {FEWEST} test pictures")
    ranks = percentiles(own[missed], own[holds])
    estimate = bootstrap_mean(ranks, seed=sealed.seed(frozen, "near misses"))
    return {"near_misses": sealed.score(estimate, null=AS_ITS_OWN)}


def exemplars_of_relatives(
    own: Float[np.ndarray, "stimulus"], others: Float[np.ndarray, "stimulus other"]
) -> Bool[np.ndarray, "stimulus"]:
    """Where one of the RELATIVES components that go with it most is active; none where none goes with it at all."""
    alike = correlations(own[None], others)[0]
    nearest = [place for place in np.argsort(-alike, kind="stable")[:RELATIVES] if alike[place] > 0]
    return np.asarray(active(others[:, nearest]).any(axis=1))


def percentiles(
    values: Float[np.ndarray, "value"], among: Float[np.ndarray, "other"]
) -> Float[np.ndarray, "value"]:
    """Share of the others that each value exceeds; one that it equals counts as half."""
    ordered = np.sort(among)
    both = [np.searchsorted(ordered, values, side=end) for end in ("left", "right")]
    return np.asarray(sum(both) / (2 * len(ordered)))


def _values(sealed: Sealed, other: Description) -> Float[np.ndarray, "stimulus"] | None:
    try:
        return sealed.on_test(other)
    except Unmeasured:
        return None
