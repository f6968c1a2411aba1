"""How often the rule of audits finds, leaves open or refutes a gap of a known size: drawn counts, the rule itself.

A gap of exactly five points is found at most every second time, however many pictures there are, since what is measured
must reach five points; above, it is the number of pictures that counts. Knows shares; knows nothing about models.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from experiments.audit.findings import Counts, compared, effect_cells, excess, verdict_of
from tools.scoring.contrast import contrast

GAPS = (0.0, 0.02, 0.05, 0.08, 0.1, 0.15, 0.2)
ERROR = 0.01
"""Share of replies that are wrong for no reason."""
DRAWS = 200


def power(n: int, suspicions: int, *, draws: int = DRAWS, seed: int = 0) -> list[dict[str, Any]]:
    """By design and gap, the shares of verdicts, where all other suspicions of the audit are of nothing."""
    random = np.random.default_rng([341, seed])
    rows = []
    for design, made in (("same pictures", _same_pictures), ("four arms", _four_arms)):
        for gap in GAPS:
            said = [_verdict(made(random, gap, n), suspicions) for _ in range(draws)]
            shares = {
                name: said.count(word) / draws
                for name, word in (("found", "yes"), ("open", "undetermined"), ("refuted", "no"))
            }
            rows.append({"design": design, "gap": gap, "n": n, "draws": draws} | shares)
    return rows


def _verdict(counts: Counts, suspicions: int) -> str:
    beyond = excess(counts)
    q = min(1.0, beyond.p * suspicions)
    return verdict_of(contrast(effect_cells(counts)), beyond.estimate, q)


def _same_pictures(random: np.random.Generator, gap: float, n: int) -> Counts:
    """A cue that moves the share `gap` of pictures, beside errors that come independently of one another."""
    errs = [random.random(n) < ERROR for _ in range(3)]
    tested = errs[0] | (random.random(n) < gap)
    return {
        "tested": (int(tested.sum()), n),
        "baseline": (int(errs[2].sum()), n),
        "control": (int(errs[1].sum()), n),
        "control baseline": (int(errs[2].sum()), n),
        **compared(tested.tolist(), errs[1].tolist()),
    }


def _four_arms(random: np.random.Generator, gap: float, n: int) -> Counts:
    """Accuracies of which one is lower by `gap`, each on pictures of its own."""

    def right(share: float) -> tuple[int, int]:
        return int(random.binomial(n, share)), n

    return {
        "tested": right(1 - ERROR),
        "baseline": right(1 - ERROR - gap),
        "control": right(1 - ERROR),
        "control baseline": right(1 - ERROR),
    }
