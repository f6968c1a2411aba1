"""English words that name nothing in a picture, so that a good map of them stays cold: a closed class.

What TAM's authors count by tags of the Penn treebank: determiners, the existential, conjunctions, modals, pronouns and
wh-words; no prepositions and no numbers. `no` is left out beside `yes`: as answers both hang on what is seen.
"""

from __future__ import annotations

FUNCTION_WORDS = frozenset(
    (
        "a an the this that these those some any every each all both either neither another such "
        "there and or but nor yet plus can could may might must shall should will would "
        "i you he she it we they me him her us them mine yours hers ours theirs "
        "myself yourself himself herself itself ourselves themselves my your his its our their "
        "what which who whom whose when where why how"
    ).split()
)


def names_nothing(word: str) -> bool:
    """Whether the word, in any case and spacing, is one of them."""
    return word.strip().lower() in FUNCTION_WORDS
