"""One form for all concepts that say the same by the laws of their signs.

The laws: order and grouping of `|`, `&` and `+` do not count; what is said twice is said once; `!!a` is a; negations go
inwards (`!(a | b)` is `!a & !b`, and a sum of negations negates a sum); `a | a & b` is a, and so is `a & (a | b)`;
weights are relative, and equal parts of a sum add up; capitals, spaces, needless brackets and parentheses do not
count. All hold for presences too (concept.py). Knows nothing about what words mean: "crimson" is not "red" here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import gcd, lcm

from tools.scoring.concept import read
from tools.scoring.grammar import quoted
from tools.scoring.tree import All, Any, Concept, Not, Phrase, Sum, Weighted

DIGITS = 6
"""Places that a weight may have before weights are written as a ratio of whole numbers."""


def canonical(concept: Concept | str) -> str:
    """The one way to write all concepts that say this; `read` gives the same back.

    Raises UserError of kind "concept" for text that can't be read.
    """
    return written(normal(read(concept) if isinstance(concept, str) else concept))


def normal(concept: Concept, *, positive: bool = True) -> Concept:
    """The concept, or its negation, in the form that `canonical` writes."""
    match concept:
        case Phrase():
            return concept if positive else Not(concept)
        case Not(part):
            return normal(part, positive=not positive)
        case Sum():
            return _sum(Weighted(weight, normal(part, positive=positive)) for weight, part in concept.shares)
        case All(parts) | Any(parts):
            form, other = (All, Any) if isinstance(concept, All) == positive else (Any, All)
            return _joined(form, other, [normal(part, positive=positive) for part in parts])


def renamed(concept: Concept, name: Callable[[str], str]) -> Concept:
    """The concept with other words for its phrases: for those who know which words mean the same."""
    match concept:
        case Phrase(words):
            return Phrase(name(words))
        case Not(part):
            return Not(renamed(part, name))
        case Sum(parts):
            return Sum(tuple(Weighted(weight, renamed(part, name)) for weight, part in parts))
        case All(parts):
            return All(tuple(renamed(part, name) for part in parts))
        case Any(parts):
            return Any(tuple(renamed(part, name) for part in parts))


def written(concept: Concept) -> str:
    """The concept as `read` reads it, with no more parentheses than are needed."""
    match concept:
        case Phrase(words):
            return quoted(words)
        case Not(part):
            return f"!{_enclosed(part, (All, Any, Sum))}"
        case Sum():
            parts = concept.shares
            numbers = _weights([part.weight for part in parts])
            terms = [_enclosed(part.of, (All, Any, Sum)) for part in parts]
            return " + ".join(f"{number} {term}" for number, term in zip(numbers, terms, strict=True))
        case All(parts):
            return " & ".join(_enclosed(part, (All, Any, Sum)) for part in parts)
        case Any(parts):
            return " | ".join(_enclosed(part, (Any, Sum)) for part in parts)


def _enclosed(part: Concept, forms: tuple[type, ...]) -> str:
    return f"({written(part)})" if isinstance(part, forms) else written(part)


def _joined(form: type[All | Any], other: type[All | Any], parts: Iterable[Concept]) -> Concept:
    """Parts of parts of the same form, each once, without those that say no more than another."""
    flat = {one for part in parts for one in (part.of if isinstance(part, form) else (part,))}
    inside = {part: set(part.of) if isinstance(part, other) else {part} for part in flat}
    kept = [part for part in flat if not any(inside[rival] < inside[part] for rival in flat)]
    return kept[0] if len(kept) == 1 else form(tuple(sorted(kept, key=_place)))


def _sum(parts: Iterable[Weighted]) -> Concept:
    """Sums in a sum dissolved, equal parts added, the heaviest first."""
    total: dict[Concept, Fraction] = {}
    for weight, part in parts:
        for share, inner in part.shares if isinstance(part, Sum) else (Weighted(Fraction(1), part),):
            total[inner] = total.get(inner, Fraction(0)) + weight * share
    if len(total) == 1:
        return next(iter(total))
    order = sorted(total, key=lambda part: (-total[part], *_place(part)))
    return Sum(tuple(Weighted(total[part], part) for part in order))


def _place(part: Concept) -> tuple[bool, str]:
    """What is said comes before what is ruled out."""
    return isinstance(part, Not), written(part)


def _weights(shares: list[Fraction]) -> list[str]:
    """Shares as decimals where these are exact, otherwise as whole numbers in the same ratio."""
    scaled = [share * 10**DIGITS for share in shares]
    if all(share.denominator == 1 for share in scaled):
        return [_decimal(int(share)) for share in scaled]
    whole = lcm(*(share.denominator for share in shares))
    counts = [int(share * whole) for share in shares]
    common = gcd(*counts)
    return [f"{count // common}.0" for count in counts]


def _decimal(millionths: int) -> str:
    whole, part = divmod(millionths, 10**DIGITS)
    return f"{whole}.{f'{part:0{DIGITS}d}'.rstrip('0') or '0'}"
