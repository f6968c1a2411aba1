"""The letters on signs: a pixel font of capitals, seven pixels high, for the color and shape words only.

It is drawn here because the widest word must fit a card of 44 pixels and no library's font may change a sign.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

LETTERS = {
    "a": ".##. #..# #..# #### #..# #..# #..#",
    "b": "###. #..# #..# ###. #..# #..# ###.",
    "c": ".### #... #... #... #... #... .###",
    "d": "###. #..# #..# #..# #..# #..# ###.",
    "e": "#### #... #... ###. #... #... ####",
    "g": ".### #... #... #.## #..# #..# .###",
    "h": "#..# #..# #..# #### #..# #..# #..#",
    "i": "### .#. .#. .#. .#. .#. ###",
    "k": "#..# #..# #.#. ##.. #.#. #..# #..#",
    "l": "#... #... #... #... #... #... ####",
    "m": "#...# ##.## #.#.# #.#.# #...# #...# #...#",
    "n": "#..# ##.# ##.# #.## #.## #..# #..#",
    "o": ".##. #..# #..# #..# #..# #..# .##.",
    "p": "###. #..# #..# ###. #... #... #...",
    "q": ".##. #..# #..# #..# #..# #.#. .#.#",
    "r": "###. #..# #..# ###. #.#. #..# #..#",
    "s": ".### #... #... .##. ...# ...# ###.",
    "t": "##### ..#.. ..#.. ..#.. ..#.. ..#.. ..#..",
    "u": "#..# #..# #..# #..# #..# #..# .##.",
    "w": "#...# #...# #...# #.#.# #.#.# ##.## #...#",
    "y": "#...# #...# .#.#. ..#.. ..#.. ..#.. ..#..",
}


def written(word: str) -> Bool[np.ndarray, "7 width"]:
    """The ink of a word, a blank column between letters. Raises KeyError for a letter no sign needs."""
    rows = [".".join(parts) for parts in zip(*(LETTERS[letter].split() for letter in word), strict=True)]
    return np.array([[pixel == "#" for pixel in row] for row in rows], dtype=np.bool_)
