"""Near misses: what excites a unit's relatives and lacks its concept leaves it still, where the concept is true."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.scoring.rest.near_misses import exemplars_of_relatives, near_misses, percentiles
from experiments.scoring.rest.sealed import Sealed, Unmeasured
from tests.experiments.scoring.rest.known import DEAD, RED, frozen


def test_a_unit_is_still_on_near_misses_of_its_own_concept_and_not_on_those_of_another(
    sealed: Sealed,
) -> None:
    """Where a unit for all red things is said to be for small red things, large ones are near misses that excite it."""
    own = near_misses(sealed, frozen(RED, "red thing"))["near_misses"]
    other = near_misses(sealed, frozen(RED, "small red thing"))["near_misses"]
    assert own.value < 0.02 and own.null == 0.5 and own.n >= 8
    assert other.ci[0] > max(0.05, own.ci[1])


def test_only_relatives_count() -> None:
    own = np.arange(100.0)
    alike, unlike = own.copy(), -own
    assert exemplars_of_relatives(own, np.stack([alike, unlike], axis=1)).nonzero()[0].min() == 95
    assert not exemplars_of_relatives(own, unlike[:, None]).any()


def test_a_percentile_is_the_share_that_is_exceeded() -> None:
    chance = np.random.default_rng(0)
    values, among = chance.integers(0, 9, 40).astype(float), chance.integers(0, 9, 30).astype(float)
    expected = [((among < one).mean() + (among <= one).mean()) / 2 for one in values]
    assert np.allclose(percentiles(values, among), expected)


def test_a_component_without_company_or_words_that_hold_is_not_measured(sealed: Sealed) -> None:
    alone = Sealed(sealed.workplace, (frozen(RED, "red thing"),))
    with pytest.raises(Unmeasured, match="no other component"):
        near_misses(alone, frozen(RED, "red thing"))
    with pytest.raises(Unmeasured, match="holds in fewer than 8"):
        near_misses(sealed, frozen(RED, "red thing & !red thing"))
    with pytest.raises(Unmeasured, match="exemplars without the concept"):
        near_misses(sealed, frozen(DEAD, "red thing"))
