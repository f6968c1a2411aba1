"""Parts of a concept that untrained copies were searched for: what can be called learned of `star & !dark background`.

A concept whose form was not searched has no null of its own, but its parts of a searched form do. The part is chosen on
`select`, by the scorer's judge, and measured on test like any concept. Knows which parts there are and which fits best;
knows nothing about what follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float

from experiments.scoring.joined import is_searched
from experiments.scoring.judged import Judged
from tools.scoring.concept import concept_values
from tools.scoring.correlation import correlations
from tools.scoring.normal import canonical
from tools.scoring.tree import All, Any, Concept, Not, Phrase, parts_of


def searched_parts(concept: Concept) -> list[str]:
    """Every phrase that is not ruled out, and every two of them joined as the concept joins them, each once.

    A weighted sum joins as `|` does.
    """
    return list(dict.fromkeys(canonical(part) for part in _parts(concept) if is_searched(canonical(part))))


def best_part(parts: Sequence[str], values: Float[np.ndarray, "stimulus"], judged: Judged) -> str:
    """The part that correlates most with a component's values on the judge's stimuli; of equal ones the first."""
    columns = np.array([concept_values(part, judged.column) for part in parts])
    return parts[int(correlations(columns, values[:, None])[:, 0].argmax())]


def _parts(concept: Concept) -> Iterator[Concept]:
    match concept:
        case Phrase():
            yield concept
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
