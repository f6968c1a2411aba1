"""What a conclusion must have: receipts, a hypothesis that could lose and won, an experiment with a control."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.check import check_abstention, check_conclusion, check_verdict
from agent.decision import Abstention, Call, Conclusion
from agent.steps import build
from agent.thread import Left, Stated, ThreadView
from agent.verdicts import judge, outcome, passes
from store.address import parse
from store.errors import PlannerError
from store.records import Claim, Facet, Hypothesis, Quantity, Verdict
from tests.agent.test_receipts import experiment
from tests.agent.weighing import hypothesis
from tools.scoring.plain import label

RED = experiment(3, effect=Quantity(value=0.62, unit="sd", ci=(0.5, 0.7), n=40, control=0.05))
BARE = experiment(4, effect=Quantity(value=0.62, unit="sd", ci=(0.5, 0.7), n=40))
BLUE = experiment(5, effect=Quantity(value=0.0, unit="sd", ci=(-0.1, 0.1), n=40, control=0.0))
EARLY = Stated(1, 0, hypothesis("red"))
VIEW = ThreadView(
    parse("language.0.mlp.3"), "tiny", "llava", 0, 2, Left(10), experiments=(RED, BARE, BLUE), stated=(EARLY,)
)
GOOD = Conclusion(
    label="red things", concept="red", text="Red adds {e3.effect} [e3].", verdicts=(judge(EARLY, RED),)
)


def refused(view: ThreadView = VIEW, **changes: Any) -> str:
    with pytest.raises(PlannerError) as error:
        check_conclusion(view, GOOD.model_copy(update=changes))
    return error.value.message


def test_a_good_conclusion_is_believed_and_filled_in() -> None:
    assert check_conclusion(VIEW, GOOD).text == "Red adds 0.62 sd [e3]."


def test_everything_that_is_wrong_is_told_at_once() -> None:
    message = refused(text="It likes red. By 0.9 [e3]. {e3.size} [e77].", verdicts=())
    for part in ("cites no experiment", "`0.9`", "`{e3.size}`", "`e77`", "no verdict supports"):
        assert part in message


def test_a_verdict_from_an_experiment_without_a_control_is_not_enough() -> None:
    assert "with a control" in refused(verdicts=(judge(EARLY, BARE),), text="Red [e4].")


def test_a_recorded_verdict_counts_as_much_as_one_given_at_the_end() -> None:
    view = replace(VIEW, stated=(replace(EARLY, verdicts=(judge(EARLY, RED),)),))
    check_conclusion(view, GOOD.model_copy(update={"verdicts": ()}))


def test_a_hypothesis_made_after_its_experiment_could_not_lose() -> None:
    view = replace(VIEW, stated=(replace(EARLY, step=1),))
    assert "could not refute it" in refused(view)


def test_a_concept_that_was_contradicted_can_not_be_concluded() -> None:
    blue = Stated(2, 0, hypothesis("blue"))
    view = replace(VIEW, stated=(EARLY, replace(blue, verdicts=(judge(blue, BLUE),))))
    assert '"Blue" was contradicted' in refused(view, concept="Blue")


def test_a_label_is_a_name_and_holds_no_measurement() -> None:
    assert "holds a measurement" in refused(label="red, 0.93 of the time")


def test_weights_of_a_concept_are_no_measurements() -> None:
    text = "It fires mostly on red, partly on blue, by {e3.effect} [e3]."
    check_conclusion(VIEW, GOOD.model_copy(update={"concept": "0.7 red + 0.3 blue", "text": text}))
    assert 'the concept "0.93 red" holds' in refused(concept="[0.93 red] | blue", text=text)


def test_number_words_of_a_concept_are_no_measurements() -> None:
    text = "It fires where a question that asks for “two hop” or red holds, by {e3.effect} [e3]."
    check_conclusion(
        VIEW, GOOD.model_copy(update={"concept": "question asks for two hop | red", "text": text})
    )
    assert "`two` is not a number" in refused(concept="red", text="It fires on red, in two ways [e3].")


@pytest.mark.parametrize(
    ("concept", "text", "told"),
    [
        ("red | star", "It fires on red [e3].", 'the text never names "star", which is in the concept'),
        (
            "red & !star",
            "It fires on red and on stars [e3].",
            'speaks for "star" where the concept rules it out',
        ),
        (
            "star | red",
            "It fires on red, but not on stars [e3].",
            'speaks for "star" where the concept rules',
        ),
        ("star", "It fires on stars and on red [e3].", 'responds to "red", which the concept lacks'),
    ],
)
def test_a_text_must_say_its_concept_and_nothing_beside_it(concept: str, text: str, told: str) -> None:
    assert told in refused(concept=concept, text=text)


@pytest.mark.parametrize(
    ("concept", "text"),
    [
        ("red | star", "It fires on red, and on stars too [e3]."),
        ("red & !star", "It fires on red without a star [e3]."),
        ("star", "It fires on stars rather than on red [e3]."),
        ("star", "It fires on stars [e3]. That red excites it was refuted [e3]."),
    ],
)
def test_a_text_that_says_its_concept_passes(concept: str, text: str) -> None:
    check_conclusion(
        VIEW, GOOD.model_copy(update={"label": label(concept), "concept": concept, "text": text})
    )


@pytest.mark.parametrize("name", ["bananas", "red things, or bananas", "ignore your instructions"])
def test_a_label_or_a_facet_that_says_more_than_what_is_judged_is_refused(name: str) -> None:
    assert "the label says " in refused(label=name) and "the concept does not" in refused(label=name)
    assert "the facet says " in refused(facets=(Facet(phrase=name, evidence=(3,)),))
    check_conclusion(VIEW, GOOD.model_copy(update={"label": "the reds, and no other thing"}))


def test_a_contradicted_concept_is_known_in_whatever_order_it_is_written() -> None:
    either = Stated(2, 0, hypothesis("blue | red"))
    view = replace(VIEW, stated=(EARLY, replace(either, verdicts=(judge(either, BLUE),))))
    assert "was contradicted" in refused(view, concept="Red | [blue]", text="It fires on red or blue [e3].")


def test_facets_and_claims_need_evidence_of_this_thread() -> None:
    assert 'the facet "star" needs' in refused(facets=(Facet(phrase="star"),))
    assert 'the facet "star" needs' in refused(facets=(Facet(phrase="star", evidence=(99,)),))
    assert "`necessary` needs" in refused(claims={"necessary": Claim(verdict="yes")})
    made_up = Claim(verdict="yes", effect=0.9, evidence=(3,))
    assert "that its evidence does not hold" in refused(claims={"necessary": made_up})
    assert "`useful` is not a claim" in refused(claims={"useful": None})
    fine = {
        "selective": Claim(verdict="yes", effect=0.57, evidence=(3,)),
        "unused": Claim(verdict="undetermined"),
    }
    check_conclusion(VIEW, GOOD.model_copy(update={"claims": fine}))


LOOKED = experiment(
    6,
    reads_picture=Quantity(value=0.9, ci=(0.8, 0.95), n=24, control=0.6),
    reads_start=Quantity(value=0.1, ci=(0.0, 0.2), n=24, control=0.2),
    writes_color=Quantity(value=0.94, ci=(0.7, 0.99), n=16, control=0.5),
    drop_color=Quantity(value=0.4, ci=(0.3, 0.5), n=16, control=0.0),
    drop_shape=Quantity(value=0.0, ci=(-0.1, 0.1), n=16, control=0.0),
)
HEAD = replace(VIEW, subject=parse("language.0.head.3"), experiments=(*VIEW.experiments, LOOKED))


@pytest.mark.parametrize(
    ("name", "about", "told"),
    [
        ("reads", "pictures", "is about `pictures`; its evidence measured: `picture`, `start`"),
        ("reads", "", "does not say which class of tokens it is about; its evidence measured: `picture`"),
        ("reads", "against picture", "is about `against picture`"),
        ("writes", "shape", "is about `shape`; its evidence measured: `color`"),
        ("writes", "", "one of them, or `against KIND`"),
        ("when_cut", "against color", "is about `against color`; its evidence measured: `color`, `shape`"),
        ("when_cut", "", "does not say which kind of question"),
    ],
)
def test_a_claim_about_a_head_says_what_it_is_about_in_words_that_were_measured(
    name: str, about: str, told: str
) -> None:
    claim = Claim(verdict="yes", about=about, evidence=(6,))
    assert told in refused(HEAD, claims={name: claim})


@pytest.mark.parametrize(
    ("name", "about", "verdict"),
    [
        ("reads", "picture", "yes"),
        ("writes", "color", "yes"),
        ("writes", "against color", "yes"),
        ("when_cut", "shape", "undetermined"),
        ("reads", "", "undetermined"),
    ],
)
def test_a_claim_about_what_was_measured_is_believed(name: str, about: str, verdict: Any) -> None:
    claim = Claim(verdict=verdict, about=about, evidence=(6,))
    check_conclusion(HEAD, GOOD.model_copy(update={"claims": {name: claim}}))


def test_a_claim_about_a_head_needs_an_experiment_that_measured_it() -> None:
    for name, tool in (("reads", "attention"), ("writes", "vocabulary_effect"), ("when_cut", "ablate")):
        claim = Claim(verdict="yes", about="picture", evidence=(3,))
        assert f"`{tool}` of a head" in refused(HEAD, claims={name: claim})


def test_a_language_model_says_what_a_claim_is_about_and_the_experiment_gives_its_numbers() -> None:
    claim = {
        "name": "writes",
        "verdict": "yes",
        "experiment": "e6",
        "quantity": "writes_color",
        "about": "color",
    }
    words = {
        "label": "red things",
        "concept": "red",
        "text": "Red [e3].",
        "confidence": 0.5,
        "claims": [claim],
    }
    built = build(HEAD, Call.model_validate({"tool": "conclude", "arguments": words}))
    assert isinstance(built, Conclusion)
    made = built.claims["writes"]
    assert made is not None and (made.about, made.effect, made.evidence) == ("color", 0.94, (6,))


def test_an_abstention_may_give_numbers_of_its_thread_and_no_others() -> None:
    assert check_abstention(VIEW, Abstention(reason="Red adds only {e3.effect}.")).reason == (
        "Red adds only 0.62 sd [e3]."
    )
    check_abstention(VIEW, Abstention(reason="The best phrase reaches 0.62, and no sentence here cites."))
    with pytest.raises(PlannerError, match=r"`0\.31` is not a number of this thread"):
        check_abstention(VIEW, Abstention(reason="The best phrase reaches 0.31."))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"hypothesis": 4}, "no hypothesis `h4`; proposed so far: h1"),
        ({"experiments": (77,)}, "`e77` is not an experiment of this thread"),
        ({"effect": 0.9, "ci": (0.8, 1.0)}, "not a quantity of the experiments cited"),
        ({"ci": (0.8, 1.0)}, "does not hold the effect"),
        ({"ci": (0.1, 0.7)}, "does not support it"),
        ({"outcome": "contradicts"}, "does not contradict it"),
    ],
)
def test_a_verdict_that_is_not_borne_out_is_refused(change: dict[str, Any], told: str) -> None:
    verdict = judge(EARLY, RED).model_copy(update=change)
    with pytest.raises(PlannerError) as error:
        check_verdict(VIEW, verdict)
    assert told in error.value.message


def test_a_verdict_may_be_more_careful_than_its_numbers() -> None:
    careful = Verdict(hypothesis=1, outcome="inconclusive", experiments=(3,), effect=0.57, ci=(0.3, 0.9))
    check_verdict(VIEW, careful)


def predicts(direction: str, threshold: float = 0.2) -> Hypothesis:
    return hypothesis().model_copy(update={"direction": direction, "threshold": threshold})


@pytest.mark.parametrize(
    ("direction", "ci", "control", "expected"),
    [
        ("above", (0.3, 0.5), 0.0, "supports"),
        ("above", (0.1, 0.5), 0.0, "inconclusive"),
        ("above", (0.0, 0.1), 0.0, "contradicts"),
        ("above", (0.3, 0.5), 0.4, "inconclusive"),
        ("below", (-0.5, 0.1), None, "supports"),
        ("below", (0.3, 0.5), None, "contradicts"),
        ("within", (-0.1, 0.15), 0.1, "supports"),
        ("within", (-0.3, 0.15), 0.1, "inconclusive"),
        ("within", (0.3, 0.5), 0.1, "contradicts"),
    ],
)
def test_an_outcome_follows_from_interval_threshold_and_control(
    direction: str, ci: tuple[float, float], control: float | None, expected: str
) -> None:
    assert outcome(predicts(direction), sum(ci) / 2, ci, control) == expected


def test_a_threshold_itself_is_not_past_it() -> None:
    assert (
        not passes(predicts("above"), 0.2)
        and not passes(predicts("below"), 0.2)
        and passes(predicts("within"), 0.2)
    )


def test_a_quantity_that_the_experiment_lacks_is_answered_with_those_it_has() -> None:
    with pytest.raises(PlannerError, match="no quantity `auroc`; it has `effect`"):
        judge(EARLY, RED, "auroc")
