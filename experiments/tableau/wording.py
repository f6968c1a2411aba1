"""What single words and phrases of an instruction or a prompt mean, and how it is refused.

Knows concepts and the things of one scene; knows nothing about what is to be done with them.
"""

from __future__ import annotations

from experiments.tableau.concepts import WORDS, Concept, read_concept
from experiments.tableau.phrases import full
from experiments.tableau.scene import Scene
from store.errors import UserError


def refusal(message: str, hint: str) -> UserError:
    return UserError(message, kind="instruction", hint=hint)


def things_concept(phrase: str) -> Concept:
    """What a phrase allows. Raises UserError of kind "instruction" for one that speaks of the background."""
    concept = read_concept(phrase)
    if concept.background is not None:
        raise refusal(
            f"`{phrase}` is said of a background, not of a thing", "Name a thing, as in `red star`."
        )
    return concept


def single_word(text: str) -> tuple[str, str]:
    """Attribute and word of the language that one word stands for: ("fill", "solid") for "plain"."""
    concept = read_concept(text)
    for attribute, words in WORDS.items():
        allowed = getattr(concept, attribute)
        if allowed is not None and len(allowed) == 1 and len(text.split()) == 1:
            return attribute, next(word for word in words if word in allowed)
    raise refusal(
        f"`{text}` is not one word for a look", 'Say what to become in a word: "make the red star blue".'
    )


def meant(seen: Scene, phrase: str, *, every: bool = False) -> list[int]:
    """Which things are meant: exactly one, or with `every` at least one."""
    concept = things_concept(phrase)
    found = [index for index, thing in enumerate(seen.things) if concept.matches(thing)]
    have = ", ".join(full(thing).with_article for thing in seen.things) or "nothing"
    if not found:
        raise refusal(f"there is no `{phrase}` in the picture", f"It shows {have}.")
    if len(found) > 1 and not every:
        raise refusal(
            f"`{phrase}` fits {len(found)} things", f"It shows {have}: name one, or say `all {phrase}`."
        )
    return found
