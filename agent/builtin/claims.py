"""Which claims the experiments of a thread decide: selective, necessary, unused; pushing.py and heads.py have the rest.

Reads results, judges nothing anew. What only the blind test can decide (`learned`) is left to the scorer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent.builtin.heads import head_claims
from agent.builtin.pushing import sufficient
from agent.builtin.variants import Paired
from agent.thread import ThreadView, quantities
from store.records import Claim, Experiment, Quantity


def claims(view: ThreadView, compared: Experiment, pairs: Sequence[Paired]) -> dict[str, Claim | None]:
    """The claims that this thread's experiments decide; `learned` is left to the scorer."""
    return {
        "selective": _selective(compared, pairs),
        "sufficient": sufficient(view),
        **causal(view),
        **head_claims(view),
    }


def _selective(compared: Experiment, pairs: Sequence[Paired]) -> Claim:
    """Whether every phrase moves it as the concept says, beyond what random components do; the weakest effect is told.

    Without pairs, whether it is more active where the concept holds.
    """
    found = [(quantities(one.experiment)["effect"], one.decides.sign) for one in pairs]
    effects = found or [(quantities(compared)["effect"], 1)]
    weakest, _ = min(effects, key=lambda one: one[0].value * one[1])
    return Claim(
        verdict="yes" if all(_moves(effect, sign) for effect, sign in effects) else "undetermined",
        effect=weakest.value,
        ci=weakest.ci,
        control=weakest.control,
        evidence=(compared.number, *(one.experiment.number for one in pairs)),
    )


def _moves(effect: Quantity, sign: int) -> bool:
    assert effect.ci is not None
    least = min(sign * end for end in effect.ci)
    return least > 0 and (effect.control is None or sign * effect.value > effect.control)


def causal(view: ThreadView) -> dict[str, Claim | None]:
    """`necessary` and `unused`, from the last ablation; both undetermined, with the reason, where it was refused."""
    found = view.of("ablate")
    if not found:
        because = next(
            (note.text for note in view.notes if "can't be tested causally" in note.text), "not tested"
        )
        open_ = Claim(verdict="undetermined", because=because)
        return {"necessary": open_, "unused": open_}
    experiment = found[-1]
    kinds: list[dict[str, Any]] = experiment.result["kinds"]
    needed = [kind for kind in kinds if kind["necessary"] == "yes"]
    worst = max(needed or kinds, key=lambda kind: kind["drop"])
    verdict = (
        "yes" if needed else "no" if all(kind["necessary"] == "no" for kind in kinds) else "undetermined"
    )
    necessary = {
        "verdict": verdict,
        "effect": worst["drop"],
        "ci": worst["ci"],
        "control": worst["control"],
        "evidence": [experiment.number],
        "because": f"for {', '.join(kind['kind'] for kind in needed)} questions" if needed else "",
    }
    unused = {
        "verdict": experiment.result["unused"],
        "evidence": [experiment.number],
        "because": f"90 % interval against ±{experiment.result['delta']:g} logits, {len(kinds)} kinds of questions",
    }
    return {"necessary": Claim.model_validate(necessary), "unused": Claim.model_validate(unused)}
