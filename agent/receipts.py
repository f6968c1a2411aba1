"""Receipts: which experiments a text cites, and where each of its numbers comes from.

Knows the two marks that stand in texts, `[e12]` (a citation) and `{e12.effect}` (a number by reference), and how a
quantity is written in words. Knows nothing about what makes a conclusion complete (check.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from math import isclose
from typing import Any

from agent.thread import quantities
from store.address import TOWERS
from store.records import Experiment, Quantity

FIELDS = ("value", "low", "high", "ci", "n", "control")
_CITATION = re.compile(r"\[\s*e\d+(?:\s*[,;]\s*e\d+)*\s*\]")
_REFERENCE = re.compile(r"\{\s*e(\d+)\.([^{}]+?)\s*\}")
_BRACES = re.compile(r"\{[^{}]*\}|[{}]")
_END = re.compile(
    r"(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\bcf)(?<!\bca)(?<!\bapprox)"
    r"(?:[.!?]+(?=\s|$)|[.!?]+[\"'”)]+(?=\s+[^a-z\s]|\s*$))|\n+"  # a quoted `?` before small letters ends nothing
)
_LEADING = re.compile(rf"\s*((?:{_CITATION.pattern}\s*)+)[.,;]?")
_NAMES = re.compile(
    rf"\b(?:{'|'.join(TOWERS)})\.\d+(?:\.\w+)*(?:\[[\w.:-]*\])?(?:\.\d+)?"  # a component's address
    r"|\b[eh]\d+\b"
    r"|\b(?:layer|head|neuron|unit|hypothesis)s? \d+\b",
    re.IGNORECASE,
)
_DIGITS = re.compile(
    r"[-−+]?\d+(?:[.,]\d+)*(?:[eE][-−+]?\d+)?(?:\s?%|\s?percent\b)?|[\u00bc-\u00be\u2150-\u215e]"
)
_WORDS = {
    word: value
    for value, word in enumerate(
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
        " eighteen nineteen twenty".split(),
        start=2,
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90} | {
    "dozen": 12, "hundred": 100, "thousand": 1000, "million": 1_000_000
}  # fmt: skip
_SPELLED = re.compile(rf"\b(?:{'|'.join(_WORDS)}|twice|thrice|\w+fold|doubl\w+|tripl\w+)\b", re.IGNORECASE)


def citations(text: str) -> tuple[int, ...]:
    """The experiments that a text names, as citations or as sources of numbers, each once."""
    cited = [int(number) for mark in _CITATION.findall(text) for number in re.findall(r"\d+", mark)]
    cited += [int(number) for number, _ in _REFERENCE.findall(text)]
    return tuple(dict.fromkeys(cited))


def sentences(text: str) -> list[str]:
    """The text's sentences; a citation behind the full stop belongs to the sentence before it."""
    found: list[str] = []
    start = 0
    ends = [match.end() for match in _END.finditer(text)]
    for end in [*ends, len(text)]:
        piece, start = text[start:end], end
        if found and not citations(found[-1]) and (leading := _LEADING.match(piece)):
            found[-1] = f"{found[-1]} {leading[1].strip()}"
            piece = piece[leading.end() :]
        if re.search(r"\w", piece):
            found.append(piece.strip())
    return found


def uncited(text: str) -> Iterator[str]:
    """Sentences without a receipt."""
    return (sentence for sentence in sentences(text) if not citations(sentence))


def broken_references(text: str, experiments: Mapping[int, Experiment]) -> Iterator[str]:
    """What is wrong with the marks of a text, as sentences that say what to write instead."""
    for number in citations(text):
        if number not in experiments:
            known = ", ".join(f"e{known}" for known in experiments) or "none yet"
            yield f"`e{number}` is not an experiment of this thread, which has {known}"
        elif experiments[number].error:
            yield f"`e{number}` failed and shows nothing: cite another experiment"
    for braces in _BRACES.findall(text):
        reference = _REFERENCE.fullmatch(braces)
        if not reference:
            yield f"`{braces}` is not a reference to a number: write it as `{{eN.effect}}`"
        elif (experiment := experiments.get(int(reference[1]))) and not written(experiment, reference[2]):
            offers = ", ".join(f"`{name}`" for name in quantities(experiment)) or "no quantities"
            yield f"`{braces}`: e{experiment.number} does not have it; it has {offers}"


def foreign_numbers(
    text: str, experiments: Mapping[int, Experiment], phrases: Iterable[str] = ()
) -> Iterator[str]:
    """Numbers of a text that the experiments cited in the same sentence do not hold, as they stand in it.

    `phrases` are names, such as "two stars", whose words are not measurements.
    """
    for sentence in sentences(text):
        cited = [experiments[number] for number in citations(sentence) if number in experiments]
        yield from unknown_numbers(sentence, cited, [*phrases, *_quoted(sentence, cited)])


def unknown_numbers(
    text: str, experiments: Iterable[Experiment], phrases: Iterable[str] = ()
) -> Iterator[str]:
    """Numbers of a text, in digits or words, that none of the experiments holds."""
    rest = _REFERENCE.sub(" ", _CITATION.sub(" ", text))
    for phrase in sorted((p for p in phrases if p and not measured(p)), key=len, reverse=True):
        rest = re.sub(re.escape(phrase), " ", rest, flags=re.IGNORECASE)
    rest = _NAMES.sub(" ", rest)
    known = known_numbers(experiments)
    for mark in _DIGITS.findall(rest):
        if not any(_same(value, places, number) for value, places in _readings(mark) for number in known):
            yield mark.strip()
    for word in _SPELLED.findall(rest):
        if _WORDS.get(word.lower()) not in known:
            yield word


def _quoted(sentence: str, cited: Iterable[Experiment]) -> list[str]:
    """Words in quotation marks that a cited experiment says itself: “three” is a word there, no measurement."""
    told = {word for one in cited for word in re.findall(r"\w+", str(one.result.get("summary", "")).lower())}
    return [f"“{quote}”" for quote in re.findall(r"“([^“”]*)”", sentence) if quote.lower() in told]


def known_numbers(experiments: Iterable[Experiment]) -> tuple[float, ...]:
    """Every number that experiments vouch for: quantities, arguments, and what their summaries say."""
    found: list[float] = []
    for experiment in experiments:
        for quantity in quantities(experiment).values():
            found += traces(quantity)
            found += [*(quantity.ci or ()), *(quantity.control_ci or ())]
            found += [] if quantity.n is None else [float(quantity.n)]
        found += _scalars(experiment.arguments)
        told = " ".join([str(experiment.result.get("summary", "")), *experiment.result.get("warnings", ())])
        found += [value for mark in _DIGITS.findall(told) for value, _ in _readings(mark)]
    return tuple(found)


def traces(quantity: Quantity) -> list[float]:
    """The numbers that an effect may be: a value, its control, and the difference of the two."""
    if quantity.control is None:
        return [quantity.value]
    return [quantity.value, quantity.control, quantity.value - quantity.control]


def holds(effect: float, experiments: Iterable[Experiment]) -> bool:
    """Whether an effect is a number of one of the experiments."""
    return any(
        same_effect(effect, number)
        for experiment in experiments
        for quantity in quantities(experiment).values()
        for number in traces(quantity)
    )


def same_effect(one: float, other: float) -> bool:
    """Equal to about three digits, as planners may round."""
    return isclose(one, other, rel_tol=5e-3, abs_tol=5e-4)


def fill(text: str, experiments: Mapping[int, Experiment]) -> str:
    """The text with numbers in the place of references; a sentence cites whatever its numbers come from."""
    return " ".join(_filled(sentence, experiments) for sentence in sentences(text))


def written(experiment: Experiment, name: str) -> str:
    """A quantity, or one of its fields (`effect.n`, `effect.low`), as words; empty where there is none."""
    have = quantities(experiment)
    whole, _, field = name.rpartition(".")
    if name in have:
        quantity, field = have[name], "value"
    elif whole in have and field in FIELDS:
        quantity = have[whole]
    else:
        return ""
    low, high = quantity.ci or (None, None)
    if field == "ci" and low is not None and high is not None:
        return f"{rounded(low)} to {rounded(high)}"
    number = {
        "value": quantity.value,
        "low": low,
        "high": high,
        "n": quantity.n,
        "control": quantity.control,
    }.get(field)
    if number is None:
        return ""
    unit = quantity.unit if field == "value" else ""
    return rounded(number) + (unit if unit in ("", "%") else f" {unit}")


def rounded(value: float) -> str:
    """About two or three digits, as a reader wants them: 0.043, 0.62, 8.15, 34.1, 1204."""
    size = abs(value)
    if value == int(value) and size < 1e9:
        return str(int(value))
    if size < 0.1:
        return f"{value:.2g}"
    places = 0 if size >= 100 else 1 if size >= 10 else 2
    return f"{value:.{places}f}"


def _filled(sentence: str, experiments: Mapping[int, Experiment]) -> str:
    def put(mark: re.Match[str]) -> str:
        number = written(experiments[int(mark[1])], mark[2])
        _, _, unit = number.partition(" ")
        doubled = unit and sentence[mark.end() :].lstrip().startswith(unit)
        return number.removesuffix(f" {unit}") if doubled else number

    sources = [int(number) for number, _ in _REFERENCE.findall(sentence)]
    marked = {int(n) for mark in _CITATION.findall(sentence) for n in re.findall(r"\d+", mark)}
    missing = "".join(f" [e{number}]" for number in dict.fromkeys(sources) if number not in marked)
    plain = _REFERENCE.sub(put, sentence)
    plain = _CITATION.sub(lambda mark: " ".join(f"[e{n}]" for n in re.findall(r"\d+", mark[0])), plain)
    body = plain.rstrip(".!? ")
    return body + missing + plain[len(body) :].rstrip()


def measured(phrase: str) -> bool:
    """Whether a phrase holds something like a measurement (a decimal, a percentage, a large number)."""
    return re.search(r"\d[.,]\d|\d\s?%|\d{3}|percent|[\u00bc-\u00be]", phrase) is not None


def _readings(mark: str) -> Iterator[tuple[float, int]]:
    """What a written number may mean, each with its decimal places: `93 %` is 93 or 0.93, `1,204` is 1204 or 1.204."""
    percent = mark.rstrip().endswith(("%", "percent"))
    digits = re.sub(r"\s?(%|percent)$", "", mark.strip()).replace("−", "-")
    for plain in {digits.replace(",", ""), digits.replace(",", ".")}:
        try:
            value = float(plain)
        except ValueError:
            continue
        mantissa, _, exponent = plain.lower().partition("e")
        places = len(mantissa.partition(".")[2]) - int(exponent or 0)
        yield value, places
        if percent:
            yield value / 100, places + 2


def _same(value: float, places: int, known: float) -> bool:
    """Whether `known`, rounded as `value` is written, is that value; small whole numbers must be meant exactly."""
    if places <= 0 and abs(known) < 10 and known != int(known):
        return False
    slack = 0.5 * 10.0**-places + 1e-9
    return abs(known - value) <= slack or (value > 0 and abs(-known - value) <= slack)


def _scalars(part: Any) -> list[float]:
    if isinstance(part, bool):
        return []
    if isinstance(part, int | float):
        return [float(part)]
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list | tuple) else ()
    return [number for value in inner for number in _scalars(value)]
