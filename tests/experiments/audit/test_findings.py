"""Findings from counts: what stands, what is refuted, what stays open, and false ones that stay rare."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from experiments.audit.findings import (
    Claimed,
    Counted,
    Counts,
    as_verdict,
    compared,
    excess,
    findings,
    summary,
    suspected,
)
from store.audits import AuditFinding
from store.values import Estimate

CLAIMED = Claimed(
    topic="spurious",
    name="cue: red hearts",
    claim="A heart moves the answer to `red`",
    kind="by exact pairs",
    unit="share of replies",
    control_is="the same for a ring",
    rival="any thing moves the answer",
    shows_not="Other cues.",
)


def found(*each: Counts) -> tuple[AuditFinding, ...]:
    return findings([Counted(CLAIMED, counts, (number,)) for number, counts in enumerate(each, 1)])


def counts(tested: int, baseline: int, control: int, control_baseline: int, n: int = 200) -> Counts:
    names = ("tested", "baseline", "control", "control baseline")
    return {
        name: (some, n)
        for name, some in zip(names, (tested, baseline, control, control_baseline), strict=True)
    }


def test_an_effect_beyond_its_control_stands_and_refutes_the_rival() -> None:
    [one] = found(counts(80, 4, 6, 4))
    assert one.verdict == "yes" and one.effect == pytest.approx(0.38) and one.control == pytest.approx(0.01)
    assert one.excess_ci[0] > 0.2 and one.refuted == ("any thing moves the answer: the control is +1.0%",)


def test_an_effect_that_the_control_shares_does_not_stand() -> None:
    [one] = found(counts(80, 4, 82, 4))
    assert one.verdict != "yes" and one.refuted == () and one.ci[0] > 0.2


def test_a_small_effect_is_refuted_where_the_sample_excludes_five_points_and_open_where_not() -> None:
    assert [one.verdict for one in found(counts(0, 0, 0, 0), counts(0, 0, 0, 0, n=8))] == [
        "no",
        "undetermined",
    ]


def test_a_sure_effect_below_five_points_is_no_finding() -> None:
    [one] = found(counts(600, 300, 300, 300, n=10_000))
    assert one.q < 0.001 and one.excess == pytest.approx(0.03) and one.verdict == "no"


def test_a_control_that_goes_the_other_way_makes_no_finding_of_no_effect() -> None:
    [one] = found(counts(4, 4, 4, 60))
    assert one.excess == pytest.approx(0.28) and one.effect == 0 and one.verdict != "yes"


def test_on_the_same_pictures_those_alone_count_on_which_effect_and_control_differ() -> None:
    arms = counts(16, 2, 4, 2)
    tested, control = [True] * 16 + [False] * 184, [True] * 4 + [False] * 196
    [apart], [same] = found(arms), found({**arms, **compared(tested, control)})
    assert [one.excess for one in (same, apart)] == pytest.approx([0.06, 0.06]) and same.p < apart.p
    assert apart.excess_ci[0] < same.excess_ci[0] and same.numbers["tested only"].value == pytest.approx(0.06)


def test_an_effect_that_the_control_shares_picture_by_picture_is_refuted_with_fewer_of_them() -> None:
    both, shared = counts(10, 0, 10, 0, n=100), [True] * 10 + [False] * 90
    assert [one.verdict for one in found(both, {**both, **compared(shared, shared)})] == [
        "undetermined",
        "no",
    ]


def test_a_claim_is_refuted_where_the_effect_alone_is_surely_below_five_points() -> None:
    [one] = found(counts(0, 0, 0, 8, n=80))
    assert one.excess_ci[1] > 0.05 > one.ci[1] and one.verdict == "no"


def test_an_effect_is_suspected_before_correction_where_it_would_stand_alone() -> None:
    assert suspected(counts(20, 4, 4, 4)) and not suspected(counts(8, 4, 4, 4))
    assert excess(counts(20, 4, 4, 4)).p < 0.05


def test_findings_are_corrected_together() -> None:
    alone = found(counts(16, 4, 4, 4))[0]
    among = found(counts(16, 4, 4, 4), *[counts(4, 4, 4, 4)] * 19)[0]
    assert among.p == alone.p and among.q == pytest.approx(min(1.0, 20 * alone.q)) and among.verdict != "yes"


def test_where_nothing_is_wrong_at_most_one_finding_in_twenty_stands() -> None:
    random = np.random.default_rng(323)
    each = [counts(*(int(random.binomial(200, 0.1)) for _ in range(4))) for _ in range(400)]
    assert np.mean([one.verdict == "yes" for one in found(*each)]) <= 0.05


def test_a_finding_without_evidence_is_refused() -> None:
    with pytest.raises(ValidationError, match="evidence"):
        findings([Counted(CLAIMED, counts(1, 1, 1, 1), ())])


def test_a_verdict_on_the_hypothesis_says_the_same() -> None:
    one, other = found(counts(80, 4, 6, 4), counts(0, 0, 0, 0))
    assert as_verdict(one, 1).outcome == "supports" and as_verdict(other, 2).outcome == "contradicts"
    assert Estimate(one.excess, *as_verdict(one, 1).ci, n=1).low > 0


def test_the_first_paragraph_counts_failings_apart_from_what_carries_them_and_does_not_acquit() -> None:
    carried = CLAIMED._replace(
        name="carried: red hearts", claim="language.0.head.3 carries it", kind="necessary"
    )
    told = summary(
        findings(
            [
                Counted(CLAIMED, counts(80, 4, 6, 4), (1,)),
                Counted(carried, counts(80, 10, 80, 78), (2,)),
                Counted(CLAIMED._replace(name="other"), counts(0, 0, 0, 0, n=8), (3,)),
            ]
        )
    )
    assert told.startswith("1 of 2 suspected failings was found; 0 were refuted, 1 remains open.")
    assert "A heart moves the answer to `red` (+38 points, 95 % +31 to +45; control +1)." in told
    assert "For 1 of them components were named" in told and "for 1, on pictures" in told
    assert "language.0.head.3" not in told
    assert told.endswith(
        "Open is no acquittal: with 8 pictures an effect of up to 32 points can't be excluded."
    )


def test_a_gate_that_works_is_no_failing() -> None:
    gate = CLAIMED._replace(name="gate", topic="grounding", kind="gate")
    told = summary(findings([Counted(gate, {"tested": (8, 8), "control": (8, 24)}, (1,))]))
    assert told.startswith("None of 0 suspected failings was found")
    assert "helps: of those withheld 100% are wrong, of those given 33% (n = 8)" in told
