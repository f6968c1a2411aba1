"""Two answers to one question: what differs is what no interval allows to be the same."""

from __future__ import annotations

from agent.ask.answer import Answer
from agent.ask.beside import Side, beside
from store.records import AnswerRow


def row(component: str, value: float, number: int) -> AnswerRow:
    return AnswerRow(
        component=component,
        value=value,
        unit="share of the gap",
        ci=(value - 0.05, value + 0.05),
        evidence=(number,),
        measure="share restored",
    )


def side(target: str, number: int, *rows: AnswerRow, verdict: str = "yes") -> Side:
    text = f"Something stood [e{number}]." if verdict else ""
    return Side(target, Answer(text, "" if text else "nothing stood.", verdict or "", (), rows))  # type: ignore[arg-type]


def test_a_component_whose_intervals_lie_apart_is_named_with_both_numbers_and_both_receipts() -> None:
    found = beside(
        side("one", 1, row("language.5.head.2", 0.4, 1)), side("other", 2, row("language.5.head.2", 0.1, 2))
    )
    assert (found.verdict, found.named) == ("yes", ("language.5.head.2",))
    first = found.text.split(". On")[0]
    assert all(words in first for words in ("0.40", "0.10", "on one", "on other", "[e1] [e2]"))
    assert [row.target for row in found.rows] == ["one", "other"]


def test_intervals_that_meet_are_no_difference_where_the_verdicts_agree() -> None:
    found = beside(
        side("one", 1, row("language.5.head.2", 0.4, 1)), side("other", 2, row("language.5.head.2", 0.35, 2))
    )
    assert (found.verdict, found.named) == ("no", ())


def test_yes_and_no_differ_without_any_number() -> None:
    assert beside(side("one", 1), side("other", 2, verdict="no")).verdict == "yes"


def test_where_one_of_them_is_not_known_the_comparison_is_open_and_says_why() -> None:
    found = beside(side("one", 1), side("other", 2, verdict=""))
    assert (found.verdict, found.reason) == ("", "On other: nothing stood.")
    assert found.text == "On one: Something stood [e1]."
    neither = beside(side("one", 1, verdict=""), side("other", 2, verdict=""))
    assert neither.text == ""
    assert "On one" in neither.reason and "On other" in neither.reason
