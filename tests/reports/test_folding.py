"""A long record: what the description leans on stands open, the rest is one line each, and nothing is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from reports import folding
from reports.concepts import AS_WRITTEN, Concepts, Plain
from reports.leads import leads
from reports.record import Thread, read_run
from reports.site import write
from reports.words import significance
from store.database import open_store
from store.records import Score
from tests.reports.conftest import Written
from tests.reports.folded import CONCEPT, LEADS, MANY, PART, TAIL, fill_many
from tests.reports.html import Page
from tools.scoring.plain import describe, label


class Many(NamedTuple):
    thread: Thread
    numbers: dict[str, int]
    source: str
    page: Page


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Many]:
    folder = tmp_path_factory.mktemp("many")
    with open_store(folder / "store.db") as store:
        run, numbers = fill_many(store)
        front = write(store, run, folder / "out", Plain(describe, label))
        path = front.parent / "components" / f"{MANY}.html"
        (thread,) = read_run(store, run).components
        yield Many(thread, numbers, path.read_text(encoding="utf-8"), Page(path))


def test_hypotheses_about_the_described_concept_stand_open(many: Many) -> None:
    split = folding.hypotheses(many.thread)
    assert [one.hypothesis.concept for one in split.open] == [CONCEPT]
    assert [one.hypothesis.concept for one in split.folded] == list(TAIL)


def test_experiments_that_the_description_cites_stand_open(many: Many) -> None:
    split = folding.experiments(many.thread)
    assert [one.number for one in split.open] == [many.numbers[CONCEPT], many.numbers["pair"]]
    assert len(split.open) + len(split.folded) == len(many.thread.shown)


def test_nothing_that_is_recorded_is_missing_from_the_page(many: Many) -> None:
    assert {f"e{one.number}" for one in many.thread.shown} <= set(many.page.ids)
    assert {f"h{one.number}" for one in many.thread.proposed} <= set(many.page.ids)


def test_a_fold_says_what_is_in_it(many: Many) -> None:
    assert "6 further hypotheses: 3 supported, 3 refuted" in many.page.says
    assert "7 further experiments: 6 activations, 1 unexplained" in many.page.says
    assert "1 turn: 0 hypotheses, 30 calls" in many.page.says


def test_a_line_tells_effect_interval_and_control(many: Many) -> None:
    first = many.thread.proposed[0]
    assert folding.verdict(first, many.thread.shown) == ("1.10 [1.00, 1.20]", "0.30")
    assert folding.measure(many.thread.experiments[0]) == ("1.10 [1.00, 1.20] sd", "0.30")


def test_what_has_few_cards_is_not_folded(report: Written) -> None:
    for thread in read_run(report.store, report.run).components:
        assert not folding.hypotheses(thread).folded and not folding.experiments(thread).folded
    assert 'class="fold"' not in "".join(path.read_text(encoding="utf-8") for path in report.pages)


def test_joined_concepts_are_said_in_words_and_written_once(many: Many) -> None:
    assert many.source.count(f"<code>{CONCEPT}</code>") == 1
    assert (
        "It is more active where mostly (a red star or a moon) (0.71), partly a ring (0.29) holds"
        in many.page.says
    )
    assert "moon, where no red star holds on both sides" in many.page.says
    assert re.search(rf'class="facet-phrase" title="{re.escape(PART)}">red star or moon<', many.source)


def test_the_claim_of_learning_says_which_part(many: Many) -> None:
    assert 'learned <span class="claim-about">red star or moon</span>' in many.source
    assert "a red star or a moon, a part of it, was learned" in many.page.says


def test_the_primary_score_tells_p_and_q(many: Many) -> None:
    assert "p < .001, q = .012" in many.page.says


def test_leads_are_short_tables_and_an_empty_one_says_so(many: Many) -> None:
    for told in (
        "Missed raise it where the concept fails",
        "Spoiled lower it where the concept holds",
        "−15.0",
    ):
        assert told in many.page.says
    assert re.search(r"Sharper .*?</caption>\s*<tbody><tr><td>none", many.source, re.S)


@pytest.mark.parametrize("odd", [None, 3, [], [1], [{"phrase": "a"}], [LEADS["missed"][0] | {"z": "high"}]])
def test_other_shapes_are_no_leads(odd: object) -> None:
    assert leads({"missed": odd, "other": odd}) == {}


def test_what_is_no_concept_stays_as_it_was_written(many: Many) -> None:
    concepts = Concepts(Plain(describe, label))
    for text in ("carries color + shape, (sort of", "red star", ""):
        assert concepts.name(text) == concepts.sentence(text) == text
    assert Concepts(AS_WRITTEN).sentence(CONCEPT) == CONCEPT


def test_significance_says_as_much_as_was_computed() -> None:
    score = Score(value=0.5, ci=(0.4, 0.6), n=9, split="test")
    assert significance(score) == ""
    assert significance(score.model_copy(update={"p": 0.05})) == "p = .050"
