"""Language models as scripts, one for each way to experiment: good, lazy, boastful, endless, clumsy.

Each reads what it knows from the request, as a model does, and answers with calls. They study a neuron that fires on
hearts and squares.
"""

from __future__ import annotations

import json
import re
from typing import Any

from experiments.faults.model import PREDICTION
from tests.agent.scripted_server import Body, Reply, says
from tests.labelling import turns

LAZY = {"label": "hearts", "concept": "heart", "text": "It likes hearts.", "confidence": 0.9}


def component(body: Body) -> str:
    found = re.search(r"`(\w+\.\d+\.\w+\.\d+)`", body["messages"][1]["content"])
    assert found
    return found[1]


def replies(body: Body) -> list[dict[str, Any]]:
    """What came back to every call so far."""
    return [json.loads(one["content"]) for one in body["messages"] if one["role"] == "tool"]


def refusals(body: Body) -> list[str]:
    return [one["refused"] for one in replies(body) if "refused" in one]


def measured(body: Body) -> list[str]:
    """The experiments so far, as `e1`, in order."""
    return [one["experiment"] for one in replies(body) if "experiment" in one]


def pictures(body: Body, experiment: str, of: str) -> list[str]:
    """The names under which an experiment gave its pictures of a kind, such as `missed`, the best first."""
    (named,) = (one["pictures"] for one in replies(body) if one.get("experiment") == experiment)
    return [line[:10] for line in named if f": {of} " in line]


def predicts(concept: str, statement: str) -> tuple[str, dict[str, Any]]:
    return "propose_hypothesis", PREDICTION | {"concept": concept, "statement": statement}


def judges(hypothesis: str, experiment: str) -> tuple[str, dict[str, Any]]:
    because = "other components of its site differ by less"
    return "give_verdict", {"hypothesis": hypothesis, "experiment": experiment, "because": because}


def good(body: Body) -> Reply:
    """Looks, states rivals that can lose, sees what its favorite misses, mends it, cites."""
    aim, known = {"component": component(body)}, measured(body)
    compare = aim | {"n": 64}
    match turns(body):
        case 0:
            return says(
                ("top_exemplars", aim | {"k": 4}),
                ("describe", aim | {"n": 20}),
                content="What drives it, and what looks alike and leaves it quiet?",
            )
        case 1:
            top = pictures(body, known[0], "top")
            return says(
                ("look", {"pictures": top[:3], "why": "what the highest have in common"}),
                content="Several shapes are named. I want to see the strongest pictures before I guess.",
            )
        case 2:
            return says(
                predicts("heart", "It is more active where hearts are."),
                predicts("large thing", "It only follows size: it is more active where large things are."),
                ("activations", compare | {"concept": "heart"}),
                ("activations", compare | {"concept": "large thing"}),
                content="Hearts, I think. Size is the rival that could fool me: it must be able to win.",
            )
        case 3:
            return says(
                judges("h1", known[3]),
                judges("h2", known[4]),
                ("misjudged", aim | {"concept": "heart"}),
                content="Now I try to break my favorite: what excites it without any heart?",
            )
        case 4:
            missed = pictures(body, known[5], "missed")
            return says(
                ("look", {"pictures": missed[:3], "why": "what excites it without a heart"}),
                content="Those it misses are the ones that can teach me something.",
            )
        case 5:
            return says(
                predicts("heart | square", "It is more active where hearts or squares are."),
                ("activations", compare | {"concept": "heart | square"}),
                content="Squares. One label for both may be right; that can be tested.",
            )
        case 6:
            return says(
                judges("h3", known[7]),
                ("score_description", aim | {"concept": "heart | square"}),
                content="It stands. How well does it predict pictures that I have not looked at?",
            )
        case 7:
            text = (
                "It is more active on pictures with a heart or a square than on others, by {#.effect} [#]; other "
                "components of its site differ by {#.effect.control} [#]."
            )
            claim = {"name": "selective", "verdict": "yes", "experiment": known[7], "quantity": "effect"}
            told = {
                "label": "hearts and squares",
                "concept": "heart | square",
                "text": text.replace("#", known[7]),
                "claims": [claim],
                "facets": [
                    {"phrase": "heart", "weight": 0.6, "evidence": [known[3]]},
                    {"phrase": "square", "weight": 0.4, "evidence": [known[7]]},
                ],
                "confidence": 0.8,
            }
            return says(("conclude", told), content="Two shapes, one neuron. That is what I can stand for.")
    return says(("abstain", {"reason": "nothing stood its test"}))


def describes(body: Body) -> Reply:
    """Puts every picture into the same words."""
    shown = sum(part["type"] == "image_url" for part in body["messages"][0]["content"])
    return says(content=json.dumps([["heart", "large thing"]] * shown))


def lazy(body: Body) -> Reply:
    """Concludes at once; refused twice, it gives up."""
    return says(("conclude", LAZY)) if turns(body) < 2 else says(("abstain", {"reason": "I did not look."}))


def boastful(body: Body) -> Reply:
    """Measures, and then types better numbers; refused, it says it in words alone."""
    aim = {"component": component(body), "concept": "heart", "n": 64}
    match turns(body):
        case 0:
            return says(predicts("heart", "It is more active where hearts are."), ("activations", aim))
        case 1:
            text = f"Hearts drive it by a huge 9.87 sd, in 99 % of all cases [{measured(body)[0]}]."
            return says(("conclude", LAZY | {"text": text}))
    return says(("abstain", {"reason": "My numbers were not the experiment's."}))


def clumsy(body: Body) -> Reply:
    """Calls what is not there, with what is no JSON, with what does not fit; told so, it works."""
    aim = {"component": component(body), "concept": "heart", "n": 64}
    match turns(body):
        case 0:
            return says(
                ("activation", aim), ("activations", "{component: oops"), ("activations", aim | {"n": "many"})
            )
        case 1:
            return says(("give_verdict", {"hypothesis": "h1", "experiment": "e1"}), ("top_exemplars", {}))
        case 2:
            return says(predicts("heart", "It is more active where hearts are."), ("activations", aim))
        case 3:
            return says(judges("h1", measured(body)[-1]))
    return concludes(body)


def concludes(body: Body) -> Reply:
    text = "It is more active where hearts are, by {#.effect} [#].".replace("#", measured(body)[-1])
    return says(("conclude", LAZY | {"text": text}))


def endless(body: Body) -> Reply:
    """Has one idea more, for ever; told to finish, it has one more all the same."""
    return says(predicts("heart", f"Idea {turns(body)}: it is more active where hearts are."))
