"""`steer` by the definition, on a target that was made to know two colors: effects, doses, verdicts and refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest
import torch

from store.errors import PlannerError
from store.recorder import Turn
from store.records import Quantity
from tests.tools.small import Squares
from tools.context import Memory, ToolContext
from tools.door import call
from tools.engine.plan import Add, Intervention, Plan, Row
from tools.methods.about import about, answer_words, lead, other, subject
from tools.methods.doses import divergence, dose_for, reached
from tools.methods.sufficiency import verdict
from tools.stimuli import Stimulus
from tools.targets.sites import parse_site, site_of

WIRED, DECOY = "language.1.mlp.5", "language.1.mlp.6"
ANSWER = {"sign": "+", "scope": "answer"}
Push = Callable[..., Any]


class Shapes(Squares):
    """Squares that are also asked for their shape, which the pictures do not tell."""

    kinds = ("color", "shape")  # type: ignore[assignment]  # one kind more than it has

    def ask(self, kind: str, n: int, seed: int, /) -> list[Stimulus]:
        found = super().ask("color", n, seed)
        if kind == "color":
            return found
        return [
            replace(
                one, key=f"{one.key}{place}", question="what shape is the star ?", answer=word, kind="shape"
            )
            for place, one in enumerate(found)
            for word in (("star", "circle")[place % 2],)
        ]


@pytest.fixture(scope="module")
def wired(context: ToolContext) -> Iterator[ToolContext]:
    """A target that knows its two colors, in whose last layer one unit writes `red` against `blue`, and one nothing."""
    model = context.target.model
    head = model.get_parameter("lm_head.weight")
    output = model.get_parameter("model.language_model.layers.1.mlp.down_proj.weight")
    kept = head.detach().clone(), output.detach().clone()
    red, blue = (context.adapter.token(word) for word in ("red", "blue"))
    made = replace(context, images=Shapes(), memory=Memory())
    toward = torch.randn(head.shape[1], generator=torch.Generator().manual_seed(1))
    toward /= toward.norm()
    with torch.no_grad():
        output[:, 5], output[:, 6] = toward, 0
        head[red], head[blue] = _seeing(made, toward)
    yield replace(made, memory=Memory())
    with torch.no_grad():
        head.copy_(kept[0])
        output.copy_(kept[1])


def _seeing(context: ToolContext, toward: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of `red` and `blue` with which the target answers as the pictures are, and `toward` says red: least squares
    on its last stream."""
    site = parse_site("language.1.resid_post")
    stimuli = context.images.ask("color", 40, 0)
    outcome = context.engine.plain(stimuli, (site,))
    stream = outcome.reads[site][torch.arange(len(stimuli)), outcome.batch.answer]
    stream = stream / stream.pow(2).mean(-1, keepdim=True).sqrt()
    sides = torch.tensor([1.0 if stimulus.answer == "red" else -1.0 for stimulus in stimuli])
    wanted = torch.stack([6 + 2 * sides, 6 - 2 * sides], dim=1)
    known = torch.cat([stream, 10 * toward[None]])
    rows = torch.linalg.lstsq(known, torch.cat([wanted, torch.tensor([[20.0, -20.0]])]))
    return rows.solution[:, 0], rows.solution[:, 1]


@pytest.fixture
def push(wired: ToolContext) -> Push:
    run = wired.store.recorder.open_run("direct", wired.target.fingerprint, {}, 0, "test")
    calls = count()

    def through_the_door(component: str, **more: Any) -> Any:
        words = {"component": component, "concept": "red", "reading": ANSWER, **more}
        return call(wired, Turn(run, "direct", 0, next(calls)), "steer", words).result

    return through_the_door


def test_the_effect_is_what_the_named_answer_gains_at_the_dose_that_was_found(
    wired: ToolContext, push: Push
) -> None:
    found = push(WIRED, most=100)
    chosen = subject(wired, "red")
    asked = about(wired, chosen, 48)
    measured = [place for place in range(24, 48) if asked.stimuli[place].answer != "red"]
    stimuli = [asked.stimuli[place] for place in measured]
    site, unit = site_of(wired.address(WIRED))
    pool = wired.index.entry(wired.address(WIRED)).pools["answer"]
    step = torch.tensor((pool.top[0].value - pool.mean) * found["dose"])
    n = len(stimuli)
    pushed = [Row(i, (Intervention(site, unit, "answer", Add(step)),)) for i in range(n)]
    logits = wired.engine.run(Plan(stimuli, [*map(Row, range(n)), *pushed])).logits.double()
    red, blue = (wired.adapter.token(word) for word in ("red", "blue"))
    gap = logits[:, red] - logits[:, blue]
    assert found["quantities"]["effect"]["value"] == pytest.approx(
        float((gap[n:] - gap[:n]).mean()), abs=1e-4
    )
    assert found["quantities"]["effect"]["value"] > 1
    assert found["quantities"]["effect"]["n"] == n
    log_p, log_q = logits[:n].log_softmax(-1), logits[n:].log_softmax(-1)
    divergences = torch.nn.functional.kl_div(log_q, log_p, log_target=True, reduction="none").sum(-1)
    assert found["quantities"]["kl"]["value"] == pytest.approx(float(divergences.mean()), abs=1e-4)


def test_what_pushes_the_word_down_is_not_sufficient(push: Push) -> None:
    found = push(WIRED, concept="blue", most=100)
    assert found["sufficient"] == "no" and found["quantities"]["effect"]["ci"][1] < 0


def test_the_low_end_is_pushed_down(push: Push) -> None:
    found = push(WIRED, concept="blue", reading={"sign": "-", "scope": "answer"}, most=100)
    assert found["quantities"]["effect"]["ci"][0] > 0


def test_a_unit_that_nothing_reads_is_refused_since_no_dose_of_it_moves_answers(push: Push) -> None:
    with pytest.raises(PlannerError, match="moves next tokens by 0 nats"):
        push(DECOY)


@pytest.mark.parametrize("concept", ["square", "question names red", "!red"])
def test_a_concept_that_no_answer_names_is_refused(push: Push, concept: str) -> None:
    with pytest.raises(PlannerError, match="no question asks for it"):
        push(WIRED, concept=concept)


def test_a_concept_that_the_target_answers_by_chance_is_refused(push: Push) -> None:
    with pytest.raises(PlannerError, match="no better than by chance"):
        push(WIRED, concept="star")


def test_tokens_from_which_nothing_reaches_the_answer_are_refused(push: Push) -> None:
    with pytest.raises(PlannerError, match="can't be tested causally: layer 1 is the last"):
        push(WIRED, reading={"sign": "+", "scope": "visual"})


def test_a_second_component_pays_for_its_own_rows_alone(push: Push) -> None:
    push(WIRED, most=100)
    assert push(WIRED, concept="blue", most=100)["cost"]["forwards"] <= 100


def test_a_head_is_pushed_along_what_it_adds_where_the_concept_holds(push: Push) -> None:
    found = push("language.1.head.2", kl=0.01, most=100)
    assert found["along"] == "its output where the concept holds, less that elsewhere"
    assert found["quantities"]["kl"]["value"] > 0


def test_silence_is_compared_with_as_much_less_of_others(push: Push) -> None:
    found = push("language.0.mlp.3", reading={"sign": "+", "scope": "question"}, how="silence")
    kl = found["quantities"]["kl"]
    assert 0.2 * kl["value"] < kl["control"] < 5 * kl["value"]
    assert (found["sufficient"], found["dose"]) == ("undetermined", 1.0)


def test_other_questions_are_those_that_no_word_of_the_concept_answers(wired: ToolContext) -> None:
    rest = other(wired, subject(wired, "red"), 16)
    assert {stimulus.kind for stimulus in rest.stimuli} == {"shape"} and len(rest.stimuli) == 16
    logits = torch.zeros(16, 16)
    logits[:, wired.adapter.token("star")] = 2.0
    told = [2.0 if stimulus.answer == "star" else -2.0 for stimulus in rest.stimuli]
    assert lead(logits, rest) == pytest.approx(told)


def test_words_that_must_not_hold_or_that_questions_say_name_no_answer() -> None:
    assert answer_words("red star | answer is blue & !moon") == ("red", "star", "answer", "is", "blue")
    assert answer_words("question asks for color") == ()


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        (lambda dose: 0.002 * dose**2, 12.25),
        (lambda dose: 5 * (1 - np.exp(-((dose / 900) ** 2))), 222.0),
        (lambda dose: 3.0 * dose**2, 0.316),
        (lambda dose: min(0.4, 1e-9 * dose**4), 131.6),
    ],
)
def test_a_dose_is_found_on_any_growing_law(law: Callable[[float], float], expected: float) -> None:
    found = dose_for(law, 0.3, 1.0, 1e5)
    assert reached(found, 0.3) and found.size == pytest.approx(expected, rel=0.1)


def test_a_dose_out_of_reach_is_the_farthest_and_says_how_far_it_came() -> None:
    found = dose_for(lambda dose: 1e-4 * dose, 0.3, 1.0, 10.0)
    assert found.size == 10.0 and found.kl == pytest.approx(1e-3) and not reached(found, 0.3)


def test_a_divergence_is_that_of_the_definition() -> None:
    plain, pushed = torch.tensor([[0.0, 1.0, 2.0]]), torch.tensor([[0.5, 1.0, -2.0]])
    p, q = plain.softmax(-1)[0], pushed.softmax(-1)[0]
    expected = sum(float(p[i] * (p[i] / q[i]).log()) for i in range(3))
    assert divergence(plain, pushed) == pytest.approx([expected], abs=1e-6)


def told(
    low: float, high: float, components: float = 0.5, directions: float = 0.5, elsewhere: float | None = 0.1
) -> dict[str, Quantity]:
    def beside(upper: float) -> Quantity:
        middle = (low + high) / 2
        return Quantity(value=middle, ci=(low, high), control=upper - 0.5, control_ci=(upper - 1.0, upper))

    found = {"effect": beside(components), "directions": beside(directions)}
    rest = {} if elsewhere is None else {"elsewhere": Quantity(value=0, ci=(-elsewhere, elsewhere))}
    return found | rest


@pytest.mark.parametrize(
    ("measured", "answer", "because"),
    [
        (told(1.0, 2.0), "yes", "beyond"),
        (told(-2.0, -0.1), "no", "do not gain"),
        (told(0.1, 0.4, components=1.5), "no", "random components"),
        (told(0.1, 0.4, directions=1.5), "no", "random directions"),
        (told(-0.1, 0.9), "undetermined", "holds 0"),
        (told(0.2, 0.9), "undetermined", "some random components"),
        (told(0.6, 0.9, directions=0.7), "undetermined", "some random directions"),
        (told(1.0, 2.0, elsewhere=1.1), "undetermined", "other questions gain as much"),
        (told(1.0, 2.0, elsewhere=None), "undetermined", "no questions about other things"),
    ],
)
def test_a_push_is_sufficient_where_it_does_more_than_anything_it_is_held_against(
    measured: dict[str, Quantity], answer: str, because: str
) -> None:
    found = verdict(measured)
    assert found.answer == answer and because in found.because
