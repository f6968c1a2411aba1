"""A run at a glance: counts by site, medians without flattery, orders of the table, names of files."""

from __future__ import annotations

from reports.pages import places
from reports.summary import by_site, orders, tally
from tests.reports.threads import thread


def test_an_abstention_counts_as_zero_in_the_median() -> None:
    threads = [thread("a", rho=0.9), thread("b", "abstained", rho=None), thread("c", "failed", rho=None)]
    assert tally("all", threads).rho == 0.0


def test_what_was_not_reached_is_counted_but_not_scored() -> None:
    found = tally("all", [thread("a", rho=0.9), thread("b", "pending", rho=None)])
    assert (found.total, found.counts["pending"], found.rho) == (2, 1, 0.9)


def test_components_are_counted_by_site() -> None:
    names = ("vision.2.mlp.1", "vision.2.mlp.5", "language.0.head.1", "connector")
    assert [(site.site, site.total) for site in by_site([thread(name) for name in names])] == [
        ("vision.2.mlp", 2),
        ("language.0.head", 1),
        ("connector", 1),
    ]


def test_the_table_can_be_read_by_score_status_and_label() -> None:
    threads = [
        thread("a", "unverified", rho=0.2, label="stars"),
        thread("b", "verified", rho=0.9, label="moons"),
        thread("c", "abstained", rho=None, label=""),
    ]
    found = orders(threads)
    assert found["address"] == {"a": 0, "b": 1, "c": 2}
    assert found["score"] == found["label"] == found["status"] == {"b": 0, "a": 1, "c": 2}


def test_every_address_gets_a_file_of_its_own() -> None:
    names = places(
        [thread(name) for name in ("language.3.sae[x].1", "language.3.sae(x).1", "../up", "direct")]
    ).names
    assert list(names.values()) == [
        "language.3.sae-x-.1.html",
        "language.3.sae-x-.1-2.html",
        "up.html",
        "direct.html",
    ]
