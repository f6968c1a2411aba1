"""How a run ended, site by site: nothing is dropped, and every share has its interval."""

from __future__ import annotations

from experiments.sites import ALL, by_site
from store.records import Claim, Description, Score, Status


def described(component: str, status: Status, rho: float | None = None, learned: str = "") -> Description:
    score = None if rho is None else Score(value=rho, ci=(rho, rho), n=9, split="test")
    return Description.model_validate(
        {
            "component": component,
            "status": status,
            "scores": {} if score is None else {"pearson": score},
            "claims": {"learned": Claim.model_validate({"verdict": learned})} if learned else {},
            "seconds": 4.0,
        }
    )


RUN = [
    described("vision.3.mlp.0", "verified", 0.8, "yes"),
    described("language.1.head.0", "failed"),
    described("vision.3.mlp.1", "abstained"),
    described("vision.3.mlp.2", "unverified", 0.2, "no"),
]


def test_sites_stand_in_the_order_of_the_model_and_all_of_them_last() -> None:
    assert [site.name for site in by_site(RUN)] == ["vision.3.mlp", "language.1.head", ALL]
    assert [site.n for site in by_site(RUN)] == [3, 1, 4]


def test_an_abstention_and_a_failure_count_as_nothing_found() -> None:
    vision, head, every = by_site(RUN)
    assert (vision.rho, head.rho, every.rho) == (0.2, 0.0, 0.1)
    assert every.statuses == {"verified": 1, "unverified": 1, "abstained": 1, "failed": 1}


def test_a_claim_is_a_share_of_all_components_not_of_those_that_were_tested() -> None:
    vision, head, every = by_site(RUN)
    assert (vision.claims["learned"].n, round(vision.claims["learned"].value, 3)) == (3, 0.333)
    assert every.claims["learned"].value == 0.25 and every.claims["learned"].high < 0.75
    assert head.claims == {}


def test_one_site_needs_no_sum_and_no_site_is_no_table() -> None:
    assert [site.name for site in by_site(RUN[:1])] == ["vision.3.mlp"]
    assert by_site([]) == []


def test_a_site_is_told_as_json() -> None:
    told = by_site(RUN)[0].as_json()
    assert set(told) >= {"site", "n", "verified", "failed", "median_rho", "claims", "seconds"}
    assert told["claims"]["learned"]["n"] == 3
