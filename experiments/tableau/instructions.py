"""Instructions for edits in words: "make the red star blue", "remove the circle", "put it on a dark background".

Knows a small grammar and carries instructions out on a scene graph, exactly or not at all: every refusal says what can
be asked instead. Words are those of concepts.py, synonyms among them; what is left open is drawn at random.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

import numpy as np

from experiments.tableau.concepts import read_concept
from experiments.tableau.edit import Add, Move, Remove, SetBackground, SetSign, edit
from experiments.tableau.pairing import MOST_THINGS, Altered, changed, fitting, spots, told_of
from experiments.tableau.phrases import full
from experiments.tableau.questions import RELATIONS, Relation, Unanswerable, holds
from experiments.tableau.scene import (
    BACKGROUNDS,
    COLORS,
    SHAPES,
    SIDE,
    SIGN_HEIGHT,
    SIGN_WIDTH,
    Scene,
    Sign,
    Thing,
)
from experiments.tableau.wording import meant, refusal, single_word, things_concept
from store.errors import UserError

EXAMPLES = (
    "make the red star blue",
    "turn the circle into a square",
    "remove the circle",
    "remove all stars",
    "add a large red star left of the ring",
    "move the star above the ring",
    "put it on a dark background",
    "add a sign that says moon",
    "remove the sign",
)
DRAWS = 20
"""Things that are tried where one must stand in a relation, each at several places; and places for a sign, tenfold."""

Match = re.Match[str]
Rng = np.random.Generator


def follow(seen: Scene, instruction: str, rng: Rng) -> Altered:
    """The scene after the instruction.

    Raises UserError of kind "instruction" for one that is not understood, not clear ("the star" of two) or not
    possible here, of kind "unknown_phrase" for unknown words, and those of edit.py.
    """
    text = " ".join(re.findall(r"\w+", instruction.lower()))
    for pattern, carry in _GRAMMAR:
        if match := pattern.fullmatch(text):
            return carry(seen, match, rng)
    examples = ", ".join(f'"{example}"' for example in EXAMPLES)
    raise refusal(f"`{instruction}` is not an instruction that is understood", f"Say for example {examples}.")


def _make(seen: Scene, match: Match, rng: Rng) -> Altered:
    attribute, word = single_word(match["word"])
    if attribute == "background":
        raise refusal(f"a thing can't be `{word}`, only the background", f'Say "{EXAMPLES[6]}".')
    chosen = meant(seen, match["phrase"], every=match["every"] is not None)
    others = [index for index in chosen if getattr(seen.things[index], attribute) != word]
    if not others:
        raise refusal(f"the `{match['phrase']}` is {word} already", "Ask for a look that it does not have.")
    after = seen
    for index in others:
        after = edit(after, changed(index, attribute, word))
    before = [seen.things[index] for index in others]
    return Altered(after, f"made {told_of(before)} {word}", (*before, *(after.things[i] for i in others)))


def _make_ground(seen: Scene, match: Match, rng: Rng) -> Altered:
    """Any other background that the word allows: "textured" leaves a choice."""
    allowed = read_concept(f"{match['word']} background").background or frozenset()
    options = [word for word in BACKGROUNDS if word in allowed and word != seen.background]
    if not options:
        raise refusal(f"the background is `{seen.background}` already", "Ask for another one.")
    word = options[int(rng.integers(len(options)))]
    return Altered(
        edit(seen, SetBackground(word)), f"made the background {word} instead of {seen.background}"
    )


def _remove(seen: Scene, match: Match, rng: Rng) -> Altered:
    return _cleared(seen, meant(seen, match["phrase"], every=match["every"] is not None))


def _remove_everything(seen: Scene, match: Match, rng: Rng) -> Altered:
    if not seen.things:
        raise refusal("the picture shows `nothing` that could be removed", "Add something first.")
    return _cleared(seen, range(len(seen.things)))


def _cleared(seen: Scene, chosen: Iterable[int]) -> Altered:
    gone = sorted(chosen)
    after = seen
    for index in reversed(gone):
        after = edit(after, Remove(index))
    things = tuple(seen.things[index] for index in gone)
    return Altered(after, f"removed {told_of(things)}", things)


def _add(seen: Scene, match: Match, rng: Rng) -> Altered:
    concept = things_concept(match["phrase"])
    if len(seen.things) >= MOST_THINGS:
        raise refusal(
            f"the picture shows `{len(seen.things)}` things, as many as it can", "Remove one first."
        )
    anchor = seen.things[meant(seen, match["other"])[0]] if match["relation"] else None
    for _ in range(DRAWS):
        for thing in spots(seen, fitting(concept, rng), rng):
            if concept.matches(thing) and (anchor is None or _stands(thing, match["relation"], anchor)):
                after = edit(seen, Add(thing))
                return Altered(after, f"added {full(thing).with_article}{_where(match)}", (thing,))
    raise refusal(
        f"there is no room for `{match['phrase']}`{_where(match)}", "Ask for a small one, or elsewhere."
    )


def _move(seen: Scene, match: Match, rng: Rng) -> Altered:
    index, other = meant(seen, match["phrase"])[0], meant(seen, match["other"])[0]
    if index == other:
        raise refusal(f"`{match['phrase']}` and `{match['other']}` are the same thing", "Name two things.")
    before, anchor = seen.things[index], seen.things[other]
    if _stands(before, match["relation"], anchor):
        raise refusal(f"the `{match['phrase']}` is{_where(match)} already", "Ask for another place.")
    rest = replace(seen, things=seen.things[:index] + seen.things[index + 1 :])
    for _ in range(DRAWS):
        for thing in spots(rest, before, rng):
            if _stands(thing, match["relation"], anchor):
                after = edit(seen, Move(index, thing.x, thing.y))
                return Altered(after, f"moved {told_of([before])}{_where(match)}", (before, thing))
    raise refusal(f"there is no room for `{match['phrase']}`{_where(match)}", "Ask for another place.")


def _stands(thing: Thing, words: str, anchor: Thing) -> bool:
    relation: Relation = words  # type: ignore[assignment]  # the grammar allows no other
    try:
        return holds(relation, thing, anchor)
    except Unanswerable:
        return False


def _where(match: Match) -> str:
    return f" {match['relation']} the {match['other']}" if match["relation"] else ""


def _put_up_sign(seen: Scene, match: Match, rng: Rng) -> Altered:
    """A new word on the sign that is there, or a sign somewhere."""
    _, word = single_word(match["word"])
    if word not in (*COLORS, *SHAPES):
        raise refusal(f"a sign can't say `{match['word']}`", "It says a color or a shape.")
    half_x, half_y = SIGN_WIDTH / 2 + 1, SIGN_HEIGHT / 2 + 1
    for _ in range(10 * DRAWS):
        x, y = float(rng.uniform(half_x, SIDE - half_x)), float(rng.uniform(half_y, SIDE - half_y))
        sign = replace(seen.sign, word=word) if seen.sign else Sign(word, x, y)
        with suppress(UserError):
            return Altered(edit(seen, SetSign(sign)), f"put up a sign that says {word}")
    raise refusal(
        f"there is no room for a sign that says `{word}`", "Remove a thing, or choose another word."
    )


def _take_down_sign(seen: Scene, match: Match, rng: Rng) -> Altered:
    if seen.sign is None:
        raise refusal("there is no `sign` in the picture", f'Say "{EXAMPLES[7]}".')
    return Altered(edit(seen, SetSign(None)), f"removed the sign that says {seen.sign.word}")


_PHRASE, _WORD, _ONTO = r"(?P<phrase>[\w ]+?)", r"(?P<word>\w+)", r"(?:the |an? )?"
_EVERY = r"(?:the |(?P<every>all |every |each )(?:the )?)?"
_BESIDE = rf"(?P<relation>{'|'.join(RELATIONS)}) (?:the |an? )?(?P<other>[\w ]+)"
_GRAMMAR: tuple[tuple[re.Pattern[str], Callable[[Scene, Match, Rng], Altered]], ...] = tuple(
    (re.compile(pattern), carry)
    for pattern, carry in (
        (rf"(?:put up|add|write) a sign (?:that says|saying) {_WORD}", _put_up_sign),
        (rf"make the sign say {_WORD}", _put_up_sign),
        (r"(?:remove|delete|take away) the sign", _take_down_sign),
        (r"(?:remove|delete|take away) (?:everything|all|all things)", _remove_everything),
        (rf"(?:remove|delete|take away|erase) {_EVERY}{_PHRASE}", _remove),
        (rf"(?:make|turn|change|set) the background (?:in)?(?:to )?{_ONTO}{_WORD}", _make_ground),
        (rf"(?:put|place|set) (?:it|everything|them) on {_ONTO}{_WORD} background", _make_ground),
        (rf"(?:use|give it) {_ONTO}{_WORD} background", _make_ground),
        (rf"(?:turn|change) {_EVERY}{_PHRASE} (?:in)?to {_ONTO}{_WORD}", _make),
        (rf"(?:make|turn|color|paint) {_EVERY}{_PHRASE} {_ONTO}{_WORD}", _make),
        (rf"(?:add|put in|draw) (?:an? |one |another )?{_PHRASE}(?: {_BESIDE})?", _add),
        (rf"(?:move|put) (?:the )?{_PHRASE} {_BESIDE}", _move),
    )
)
