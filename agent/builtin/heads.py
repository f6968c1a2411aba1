"""What a thread's experiments decide about a head: what it reads, what it writes, what is lost when it is cut.

Each claim says what it is about, so that the blind test can hold it against pictures that nobody looked at. Where
nothing stands out the claim stays undetermined and is about nothing. Reads results, judges nothing anew.
"""

from __future__ import annotations

from typing import Any

from agent.thread import ThreadView, quantities
from store.records import AGAINST, Claim, Experiment, Quantity
from tools.scoring.correction import benjamini_hochberg
from tools.scoring.sign_accuracy import sign_test

LEVEL = 0.05
"""False discoveries among the kinds of questions that a head may be said to write for."""


LEAST = 0.2
"""Share of the way from chance to AUPRC 1 below which attention finds too little of a class to be said to read it: a
picture makes up nearly all of a prompt, and a first token hardly any of it."""


def head_claims(view: ThreadView) -> dict[str, Claim | None]:
    """The three claims, from the last experiment that measured each; {} for what is not a head."""
    if view.component.part != "head":
        return {}
    made = {
        "reads": ("attention", _reads),
        "writes": ("vocabulary_effect", _writes),
        "when_cut": ("ablate", _cut),
    }
    return {name: claim(view.of(tool)[-1]) for name, (tool, claim) in made.items() if view.of(tool)}


def measured(experiment: Experiment, prefix: str) -> dict[str, Quantity]:
    """Quantities whose names begin so, by the rest of their names: of `reads_picture`, `picture`."""
    return {
        name.removeprefix(prefix): quantity
        for name, quantity in quantities(experiment).items()
        if name.startswith(prefix)
    }


def _reads(experiment: Experiment) -> Claim:
    """The class that the head finds surely better than chance and than other heads, by the largest lead over them."""
    found, chance = measured(experiment, "reads_"), experiment.result["chance"]
    leads = {
        name: one.value - one.control
        for name, one in found.items()
        if one.ci is not None
        and one.control is not None
        and one.ci[0] > max(chance[name] + LEAST * (1 - chance[name]), one.control)
    }
    if not leads:
        return _open(experiment, "no class of tokens is found better than by the layer's other heads")
    best = max(leads, key=lambda name: leads[name])
    return _claim(experiment, best, found[best], f"chance is {chance[best]:.2f}")


def _writes(experiment: Experiment) -> Claim:
    """The kind of question of the smallest p, corrected for all kinds that were tried."""
    found = {name: one for name, one in measured(experiment, "writes_").items() if one.n}
    if not found:
        return _open(experiment, "no question with a known answer was tried")
    p_values = {
        name: sign_test(
            round(one.value * (one.n or 0)), one.n or 0, 0.5 if one.control is None else one.control
        )
        for name, one in found.items()
    }
    corrected = dict(zip(found, benjamini_hochberg(list(p_values.values())), strict=True))
    best = min(p_values, key=lambda name: p_values[name])
    if corrected[best] >= LEVEL:
        return _open(experiment, f"no kind of question stands out among {len(found)}")
    favored = found[best].value > max(0.5, found[best].control or 0.0)
    about = best if favored else f"{AGAINST}{best}"
    return _claim(experiment, about, found[best], f"the clearest of {len(found)} kinds of questions")


def _cut(experiment: Experiment) -> Claim:
    """Which kind of question a head's absence hurts beyond the others: the kind of the largest drop."""
    kinds: list[dict[str, Any]] = experiment.result["kinds"]
    worst = max(kinds, key=lambda kind: kind["drop"])
    rest = [kind["ci"][1] for kind in kinds if kind is not worst]
    apart = worst["necessary"] == "yes" and all(worst["ci"][0] > high for high in rest)
    return Claim.model_validate(
        {
            "verdict": "yes" if apart else "undetermined",
            "about": worst["kind"],
            "effect": worst["drop"],
            "ci": worst["ci"],
            "control": worst["control"],
            "evidence": [experiment.number],
            "because": f"{worst['kind']} questions lose most",
        }
    )


def _claim(experiment: Experiment, about: str, shown: Quantity, because: str) -> Claim:
    return Claim(
        verdict="yes",
        about=about,
        effect=shown.value,
        ci=shown.ci,
        control=shown.control,
        evidence=(experiment.number,),
        because=because,
    )


def _open(experiment: Experiment, because: str) -> Claim:
    return Claim(verdict="undetermined", evidence=(experiment.number,), because=because)
