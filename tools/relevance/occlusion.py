"""Occlusion: what the answer's lead loses when one picture token is taken away, token by token, exactly.

Zeiler and Fergus 2014, on the tokens that the language side reads.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from tools.engine.engine import Engine
from tools.relevance.subject import Subject, without


def occlusion(engine: Engine, subject: Subject) -> Float[np.ndarray, "token"]:
    """Logits of the lead that each token is worth; negative where the answer is surer without it."""
    logits = without(engine, subject, [(), *([token] for token in range(len(subject.visual)))])
    leads = subject.leads(logits).double().numpy()
    return leads[0] - leads[1:]
