"""Numbers and intervals as words on a page: three digits, a real minus, thousands apart.

Knows nothing about what is counted.
"""

from __future__ import annotations

import math

from store.records import Interval

MINUS = "−"


def number(value: float | None) -> str:
    """Three significant digits, whole numbers in full: `0.824`, `−1.50`, `2,000`; `–` for None."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "∞" if value > 0 else f"{MINUS}∞" if value < 0 else "not a number"
    if value == int(value) and abs(value) < 1e9:
        words = f"{int(value):,}"
    elif 1e-3 <= abs(value) < 1e6:
        decimals = max(0, 2 - math.floor(math.log10(abs(value))))
        words = _two_at_least(f"{value:,.{min(decimals, 4)}f}")
    else:
        words = f"{value:.2e}"
    return words.replace("-", MINUS)


def _two_at_least(words: str) -> str:
    """Without zeros at the end, but with two decimals if there are more: `0.430` → `0.43`, `0.500` → `0.50`."""
    whole, _, decimals = words.partition(".")
    if len(decimals) <= 2:
        return words
    return f"{whole}.{decimals[:2]}{decimals[2:].rstrip('0')}"


def short(count: int) -> str:
    """A power of ten in little room: `100`, `10k`, `1M`."""
    for size, letter in ((10**6, "M"), (1000, "k")):
        if count >= size:
            return f"{count // size}{letter}"
    return str(count)


def tick(value: float, step: float) -> str:
    """A number on an axis, with as many decimals as its step needs."""
    if step >= 1 or value == 0:
        return number(float(round(value)))
    decimals = next((n for n in range(1, 7) if abs(step * 10**n - round(step * 10**n)) < 1e-6), 6)
    return f"{value:.{decimals}f}".replace("-", MINUS)


def score(value: float | None) -> str:
    """Two decimals, as scores in [−1, 1] are compared: `0.82`; `–` for None."""
    return "–" if value is None else f"{value:.2f}".replace("-", MINUS)


def interval(ci: Interval | None) -> str:
    """`[0.741, 0.883]` with as many decimals at both ends as the width tells, or nothing where there is none."""
    return _alike(ci)[-1] if ci is not None else ""


def estimate(value: float | None, ci: Interval | None = None) -> str:
    """A value and its interval, all with the same decimals: `0.43 [0.31, 0.55]`."""
    if value is None or ci is None:
        return number(value)
    return " ".join(_alike(ci, value))


def _alike(ci: Interval, *values: float) -> list[str]:
    """The values and then the interval with the decimals that the interval's width gives reason for."""
    numbers, width = [*values, *ci], abs(ci[1] - ci[0])
    if not all(map(math.isfinite, numbers)) or not 1e-3 <= max(map(abs, numbers)) < 1e5 or width < 1e-4:
        words = [number(one) for one in numbers]
    else:
        decimals = max(0, min(4, 2 - math.floor(math.log10(width))))
        words = [f"{one:,.{decimals}f}" for one in numbers]
        while decimals > 2 and all(one.endswith("0") for one in words):
            words, decimals = [one[:-1] for one in words], decimals - 1
        words = [("0" if not one.strip("-0.") else one).replace("-", MINUS) for one in words]
    return [*words[:-2], f"[{words[-2]}, {words[-1]}]"]


def score_interval(ci: Interval | None) -> str:
    return f"[{score(ci[0])}, {score(ci[1])}]" if ci is not None else ""


def seconds(value: float) -> str:
    """A duration: `0.4 s`, `41 s`, `3 min 20 s`, `1 h 5 min`."""
    if value < 10:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def counted(n: int, one: str, many: str = "") -> str:
    """`1 component`, `12 components`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
