"""A scripted language model that writes programs: one over several phrases, then a verdict and a conclusion.

Like the one in faults/model.py it knows nothing but the conversation that it is sent.
"""

from __future__ import annotations

from experiments.faults.model import PREDICTION, TEXT, replies, says, studied
from experiments.faults.server import Body, Message

PROGRAM = """
found = {}
for phrase in ["heart", "star", "red thing", "large thing"]:
    result = activations(component="COMPONENT", concept=phrase, n=32)
    found[phrase] = result["quantities"]["effect"]["value"]
    print(phrase, round(found[phrase], 3))
best = ranked(found)[0][0]
for phrase in found:
    if phrase != best:
        both = activations(component="COMPONENT", concept=phrase + " & !" + best.split()[0], n=24)
        print("without", best, round(both["quantities"]["effect"]["value"], 3))
print("best", best)
"""


def programs(body: Body) -> Message:
    """What it says next."""
    done = {name: reply for name, reply in replies(body) if "refused" not in reply}
    tried = [name for name, _ in replies(body)]
    if "run_program" not in tried:
        source = PROGRAM.replace("COMPONENT", studied(body))
        return says(("propose_hypothesis", PREDICTION), ("run_program", {"source": source}))
    made = done.get("run_program", {}).get("experiments", [])
    if not made or "conclude" in tried:
        return says(("abstain", {"reason": "nothing stood its test"}))
    first = made[0]["experiment"]
    if "give_verdict" not in done:
        return says(("give_verdict", {"hypothesis": "h1", "experiment": first}))
    words = {"label": "hearts", "concept": "heart", "text": TEXT.replace("#", first), "confidence": 0.6}
    return says(("conclude", words))
