"""Which claims the experiments of a thread decide: selective, necessary, unused, and those of heads (heads.py).

Reads results, judges nothing anew. What only the blind test can decide (`learned`) is left to the scorer.
"""

from __future__ import annotations

from typing import Any

from agent.builtin.heads import head_claims
from agent.thread import ThreadView, quantities
from store.records import Claim, Experiment


def claims(view: ThreadView, compared: Experiment, pairs: Experiment | None) -> dict[str, Claim | None]:
    """The claims that this thread's experiments decide; `learned` is left to the scorer."""
    strongest = pairs or compared
    effect = quantities(strongest)["effect"]
    assert effect.ci is not None
    selective = effect.ci[0] > 0 and (effect.control is None or effect.value > effect.control)
    return {
        "selective": Claim(
            verdict="yes" if selective else "undetermined",
            effect=effect.value,
            ci=effect.ci,
            control=effect.control,
            evidence=tuple(one.number for one in (compared, pairs) if one is not None),
        ),
        "sufficient": None,
        **causal(view),
        **head_claims(view),
    }


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
