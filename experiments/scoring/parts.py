"""Parts of a concept, each with a null of its own: what can be called learned of `star & !dark background`.

Untrained copies were not searched for concepts of every form, and a background that untrained eyes see as well hides
what stands beside it. So the part that exceeds its own null most is chosen on `select`, by the scorer's judge, and
measured on test like any concept. Knows which parts there are and which is best; knows nothing about what follows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float

from experiments.scoring.joined import is_searched
from experiments.scoring.judged import Judged
from tools.scoring.concept import concept_values
from tools.scoring.correlation import correlations
from tools.scoring.narrowing import bare
from tools.scoring.normal import canonical
from tools.scoring.tree import All, Any, Concept, Not, Phrase, parts_of


def searched_parts(concept: Concept) -> list[str]:
    """Every phrase that is not ruled out, and every two of them joined as the concept joins them, each once.

    Places and exceptions are left aside. A weighted sum joins as `|` does.
    """
    return list(dict.fromkeys(canonical(part) for part in _parts(concept) if is_searched(canonical(part))))


def best_part(
    parts: Sequence[str],
    values: Float[np.ndarray, "stimulus"],
    judged: Judged,
    null: Callable[[str], float | None],
) -> str:
    """The part whose correlation with a component's values, on the judge's stimuli, lies furthest above its null."""
    columns = np.array([concept_values(part, judged.column) for part in parts])
    rho = correlations(columns, values[:, None])[:, 0].tolist()
    leads = [
        -math.inf if (bar := null(part)) is None else value - bar
        for part, value in zip(parts, rho, strict=True)
    ]
    return parts[leads.index(max(leads))]


def _parts(concept: Concept) -> Iterator[Concept]:
    match concept:
        case Phrase(words):
            yield Phrase(bare(words))
        case Not():
            return
        case _:
            inner = [list(_parts(part)) for part in parts_of(concept)]
            for found in inner:
                yield from found
            for first, second in combinations(inner, 2):
                for one in first:
                    for other in second:
                        yield All((one, other)) if isinstance(concept, All) else Any((one, other))
