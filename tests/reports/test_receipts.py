"""Citations in texts become links to what is there, and to nothing else."""

from __future__ import annotations

from reports.receipts import Receipts
from reports.record import cited_in

KNOWN = Receipts({1: "top exemplars: “red”", 12: "ablate"})


def test_a_citation_links_to_the_card_of_its_experiment() -> None:
    assert 'href="#e12" title="ablate">e12</a>' in KNOWN.text("It fires on red things [e12].")


def test_several_citations_in_one_bracket_are_several_links() -> None:
    assert KNOWN.text("So it is [e1, e12].").count("<a ") == 2
    assert cited_in("So it is [e1, e12], and [e3].") == [1, 12, 3]


def test_a_citation_of_what_is_not_there_is_no_link() -> None:
    told = KNOWN.text("It sings [e99].")
    assert "<a " not in told and "e99?" in told


def test_everything_else_in_a_text_is_escaped() -> None:
    told = KNOWN.paragraphs("<i>one</i> [e1]\n\n<script>[e12]</script>")
    assert "<i>" not in told and "<script>" not in told
    assert told.count("<p>") == 2


def test_what_stands_in_backticks_is_code_and_escaped() -> None:
    assert KNOWN.text("`<b>` is a tag") == "<code>&lt;b&gt;</code> is a tag"
    assert KNOWN.text("a lone ` stays") == "a lone ` stays"


def test_what_only_looks_like_a_citation_stays() -> None:
    assert KNOWN.text("[e1x] [12] (e1)") == "[e1x] [12] (e1)"
