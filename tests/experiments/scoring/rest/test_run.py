"""The rest of the protocol for a run: it adds scores and changes nothing, adds none twice, and goes on after a kill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.scoring.rest.run import PARTS, REST, score_rest
from experiments.workplace import Workplace
from store.database import open_store
from store.records import Description, Score
from tests.experiments.scoring.rest import known
from tests.experiments.scoring.rest.known import NOISE, RED, STAR, frozen, through_the_test


@pytest.fixture
def fresh(committed_weights: Path, tmp_path: Path) -> Iterator[Workplace]:
    with open_store(tmp_path / "store.db") as store:
        yield known.workplace(store, tmp_path / "cache")


def rows(place: Workplace) -> list[dict[str, object]]:
    return list(place.store.queries.export_rows())


def test_it_adds_scores_on_test_and_leaves_words_status_and_what_stood(fresh: Workplace) -> None:
    run = through_the_test(fresh, frozen(RED, "red thing"), frozen(STAR, "red thing"))
    before = rows(fresh)
    found = score_rest(fresh, run)
    after = rows(fresh)
    added = [row for row in after if row not in before]
    assert all(row in after for row in before) and {row["table"] for row in added} == {"score"}
    assert {row["split"] for row in added} == {"test"} and {row["name"] for row in added} <= set(REST)
    assert len(added) == sum(map(len, found.new.values())) >= 8
    right, wrong = found.scores[RED], found.scores[STAR]
    assert right["hard_negatives"].ci[0] > wrong["hard_negatives"].value
    assert right["places"].value > 0.9 > wrong["places"].value


def test_planners_see_none_of_it(fresh: Workplace) -> None:
    """The workplace's planner's side refuses every question (known.py), and the record shows no score of the test."""
    run = through_the_test(fresh, frozen(RED, "red thing"), frozen(NOISE, "star"))
    score_rest(fresh, run)
    queries = fresh.store.queries
    assert queries.scores(run, RED) == [] and queries.experiments(run, test=True) == []
    seen = queries.description(run, RED)
    assert seen is not None and seen.scores == {}


def test_a_second_call_adds_nothing(fresh: Workplace) -> None:
    run = through_the_test(fresh, frozen(RED, "red thing"), frozen(STAR, "star"))
    first = score_rest(fresh, run)
    before = rows(fresh)
    again = score_rest(fresh, run)
    assert rows(fresh) == before
    assert (again.new, again.scores, again.skipped) == ({}, first.scores, first.skipped)


def test_a_call_that_was_killed_goes_on_and_comes_to_the_same(
    fresh: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (frozen(RED, "red thing"), frozen(STAR, "star"))
    whole, half = through_the_test(fresh, *words), through_the_test(fresh, *words)
    expected = score_rest(fresh, whole)
    keep = fresh.store.recorder.score

    def until_power_fails(run: str, component: str, name: str, score: Score) -> None:
        if name == "off_target":
            raise KeyboardInterrupt
        keep(run, component, name, score)

    monkeypatch.setattr(fresh.store.recorder, "score", until_power_fails)
    with pytest.raises(KeyboardInterrupt):
        score_rest(fresh, half)
    monkeypatch.undo()
    found = score_rest(fresh, half)
    assert found.scores == expected.scores
    assert "hard_negatives" not in found.new[RED] and "off_target" in found.new[RED]


def test_what_can_not_be_measured_is_counted_by_its_reason(fresh: Workplace) -> None:
    run = through_the_test(fresh, frozen(RED, "question asks color"))
    recorder = fresh.store.recorder
    recorder.components(run, [STAR, NOISE])
    recorder.description(run, Description(component=STAR, status="abstained", reason="nothing stood"))
    recorder.description(run, frozen(NOISE, "star"))
    found = score_rest(fresh, run)
    assert found.scores == {RED: {}} and found.new == {}
    assert found.skipped["nothing was said of the component"] == len(REST)
    assert found.skipped["the sealed test of the component is not done"] == len(REST)
    assert sum(found.skipped.values()) == 3 * len(REST)


def test_every_name_has_one_measure() -> None:
    names = [name for part in PARTS for name in part.names]
    assert len(set(names)) == len(names) and tuple(names) == REST
