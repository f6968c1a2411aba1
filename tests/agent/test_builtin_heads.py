"""What the built-in planner claims of a head, and what it leaves open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.builtin.heads import head_claims
from agent.builtin.telling import tell
from agent.receipts import fill
from agent.thread import ThreadView, quantities
from store.address import parse
from store.records import Claim, Experiment, Reading
from tests.agent.test_builtin import compared, experiment, view

HEAD = parse("language.3.head.1")


def thread(*experiments: Experiment) -> ThreadView:
    return replace(view(*experiments), subject=HEAD)


def quantity(value: float, low: float, high: float, control: float, n: int = 24) -> dict[str, Any]:
    return {"value": value, "ci": (low, high), "n": n, "control": control, "unit": "AUPRC"}


def looked(**reads: dict[str, Any]) -> Experiment:
    chance = {"picture": 0.7, "question": 0.1, "itself": 0.01}
    result = {
        "quantities": {f"reads_{name}": one for name, one in reads.items()},
        "chance": {name: chance[name] for name in reads},
    }
    return experiment(4, "attention", Reading(), result)


def wrote(**right: int) -> Experiment:
    kinds = {
        f"writes_{kind}": quantity(count / 16, 0.0, 1.0, 0.5, 16) | {"unit": "of the questions"}
        for kind, count in right.items()
    }
    return experiment(5, "vocabulary_effect", Reading(), {"quantities": kinds, "top": []})


def made(*experiments: Experiment) -> dict[str, Claim | None]:
    return head_claims(thread(*experiments))


def claim(name: str, *experiments: Experiment) -> Claim:
    found = made(*experiments)[name]
    assert found is not None
    return found


def test_a_head_reads_the_class_that_leads_other_heads_most() -> None:
    shown = looked(
        picture=quantity(0.95, 0.9, 0.97, 0.9),
        question=quantity(0.6, 0.5, 0.7, 0.2),
        itself=quantity(0.02, 0.01, 0.03, 0.4),
    )
    found = claim("reads", shown)
    assert (found.verdict, found.about, found.effect, found.control) == ("yes", "question", 0.6, 0.2)
    assert found.evidence == (4,)


@pytest.mark.parametrize(
    "shown",
    [
        looked(picture=quantity(0.75, 0.65, 0.8, 0.5)),
        looked(question=quantity(0.3, 0.25, 0.35, 0.28)),
        looked(picture=quantity(0.74, 0.72, 0.76, 0.5)),
        looked(),
    ],
    ids=[
        "no better than chance",
        "no better than other heads",
        "hardly better than chance",
        "nothing measured",
    ],
)
def test_what_does_not_clear_chance_and_other_heads_stays_open(shown: Experiment) -> None:
    found = claim("reads", shown)
    assert (found.verdict, found.about, found.effect) == ("undetermined", "", None)


def test_a_head_writes_for_the_kind_that_stands_out_among_all_that_were_tried() -> None:
    others = {f"kind{number}": 8 for number in range(11)}
    assert claim("writes", wrote(color=16, **others)).about == "color"
    assert claim("writes", wrote(color=0, **others)).about == "against color"
    lucky = claim("writes", wrote(color=13, **others))
    assert (lucky.verdict, lucky.about) == ("undetermined", "")
    assert claim("writes", wrote(color=13)).verdict == "yes", "alone it would have stood out"


def test_a_head_that_favors_the_same_answers_always_writes_nothing() -> None:
    shown = wrote(color=14)
    shown.result["quantities"]["writes_color"]["control"] = 14 / 16
    assert claim("writes", shown).verdict == "undetermined"


def cut(*drops: float) -> Experiment:
    kinds = [
        {
            "kind": kind,
            "drop": drop,
            "ci": (drop - 0.1, drop + 0.1),
            "control": 0.0,
            "necessary": "yes" if drop > 0.2 else "undetermined",
        }
        for kind, drop in zip(("color", "shape"), drops, strict=True)
    ]
    return experiment(6, "ablate", Reading(), {"kinds": kinds})


def test_the_kind_that_loses_most_is_what_cutting_is_about_also_where_it_stays_open() -> None:
    apart, near = claim("when_cut", cut(0.9, 0.1)), claim("when_cut", cut(0.1, 0.15))
    assert (apart.verdict, apart.about) == ("yes", "color")
    assert (near.verdict, near.about) == ("undetermined", "shape")


def test_a_neuron_makes_none_of_these_claims() -> None:
    assert head_claims(view(looked(), wrote(color=16), cut(0.9, 0.1))) == {}


def test_what_is_claimed_is_told_in_sentences_that_cite() -> None:
    shown, said = looked(picture=quantity(0.95, 0.9, 0.97, 0.8)), wrote(color=0)
    effect = {"effect": {"value": 1.0, "unit": "sd", "control": 0.0}, "auroc": {"value": 0.9}}
    drive = compared(1, "star", 1.0)
    drive.result["quantities"] |= effect
    scored = experiment(2, "score_description", Reading(), {"quantities": {"pearson": {"value": 0.6}}})
    seen = thread(drive, scored, shown, said)
    text = tell(seen, "star", Reading(), drive, (), scored, head_claims(seen))
    told = fill(text, {one.number: one for one in seen.experiments})
    assert (
        "its attention finds the picture's tokens at 0.95 AUPRC (0.80 for the layer's other heads) [e4]"
        in told
    )
    assert "seldom favors the right answer to color questions: in 0 of the questions, against 0.50" in told
    assert quantities(said)["writes_color"].n == 16
