"""What maps of many answers come to: each score with its interval beside its control, and what to distrust.

Knows scores of pictures by name; knows nothing about how maps are made (mapped.py) or shown (relevance.py). Not a tool.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from store.records import Quantity
from store.values import Estimate
from tools.methods.mapped import Mapped, Method
from tools.scoring.bootstrap import resampled, resamples
from tools.scoring.intervals import bootstrap_mean

UNITS = {
    "saco": "SaCo",
    "correlation": "rank correlation",
    "deletion": "mean probability",
    "insertion": "mean probability",
    "pointing": "share of pictures",
    "obj_iou": "IoU",
    "func_iou": "share of the map that is cold",
    "f1_iou": "F1-IoU",
}
FEWEST = 2
"""Pictures without which a score is not told."""
LOST = 0.02
"""What integrated gradients may miss of the difference before a warning says so."""


def quantities_of(mapped: Sequence[Mapped], seed: int) -> dict[str, Quantity]:
    """Each score over the pictures that have it, beside that of the control maps, and what the whole picture is worth.

    `f1_iou` joins the means of `obj_iou` and `func_iou` over the pictures that have both.
    """
    found = {}
    for name in UNITS:
        table = np.array([one.scores[name] for one in mapped if name in one.scores])
        if len(table) >= FEWEST:
            own, control = (
                bootstrap_mean(part, seed=seed) for part in (table[:, 0], table[:, 1:].mean(axis=1))
            )
            found[name] = _told(name, own, control)
    both = [one.scores for one in mapped if {"obj_iou", "func_iou"} <= set(one.scores)]
    if len(both) >= FEWEST:
        object_, function = (np.array([one[name] for one in both]) for name in ("obj_iou", "func_iou"))
        found["f1_iou"] = _told(
            "f1_iou",
            f1_of(object_[:, 0], function[:, 0], seed),
            f1_of(object_[:, 1:].mean(axis=1), function[:, 1:].mean(axis=1), seed),
        )
    whole = bootstrap_mean([one.whole for one in mapped], seed=seed)
    found["whole"] = Quantity(
        value=whole.value, unit="logits of the answer's lead", ci=(whole.low, whole.high), n=whole.n
    )
    return found


def f1_of(
    object_: Float[np.ndarray, "picture"], function: Float[np.ndarray, "picture"], seed: int
) -> Estimate:
    """F1-IoU of a collection, from the means of both over pictures; the interval resamples pictures."""
    from tools.relevance.scores import f1_iou

    drawn = resamples(range(len(object_)), seed=seed)
    shares = drawn.weights / drawn.weights.sum(axis=1, keepdims=True)
    rows = [[f1_iou(*means)] for means in zip(shares @ object_, shares @ function, strict=True)]
    return resampled(np.array(rows), drawn).estimates()[0]


def distrusted(method: Method, mapped: Sequence[Mapped], found: dict[str, Quantity]) -> list[str]:
    """Why these maps may not explain the answers."""
    told = []
    saco, whole = found["saco"], found["whole"]
    assert saco.ci is not None and saco.control_ci is not None and whole.ci is not None
    if saco.ci[0] <= saco.control_ci[1]:
        told.append(
            f"`{method}` orders tokens by what they cost no better than chance, surely: don't explain by it"
        )
    if whole.ci[0] <= 0:
        told.append("the answers do not surely hang on the picture")
    if missed := sum(one.missed > LOST for one in mapped):
        told.append(f"integrated gradients miss more than {LOST:.0%} of the difference in {missed} pictures")
    cold = found.get("func_iou")
    if cold and cold.ci and cold.control_ci and cold.ci[0] <= cold.control_ci[1]:
        told.append(
            f"`{method}` maps a word that names nothing much as it maps the answer: it does not tell words apart"
        )
    return told


def summary_of(method: Method, found: dict[str, Quantity]) -> str:
    """All scores in 400 letters."""

    def told(name: str) -> str:
        one = found[name]
        assert one.ci is not None
        return f"{name} {one.value:.2f} [{one.ci[0]:.2f}, {one.ci[1]:.2f}] ({one.control:.2f})"

    return (
        f"`{method}` maps of {found['saco'].n} answers (control): "
        + ", ".join(told(name) for name in UNITS if name in found)
        + f". Without the picture the lead falls by {found['whole'].value:.2f} logits."
    )[:400]


def _told(name: str, own: Estimate, control: Estimate) -> Quantity:
    return Quantity(
        value=own.value,
        unit=UNITS[name],
        ci=(own.low, own.high),
        n=own.n,
        control=control.value,
        control_ci=(control.low, control.high),
    )
