"""The table: forty questions in plain words, each with its place, its right answer, and how that is known.

Nothing else is in here. In texts `{red}` stands for the address of a planted neuron (places.py names them), `{said}`
for the right answer about the picture that is shown, and `{other}` for a wrong one. A question `again` is asked of a
store that has answered it before: nothing may be measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Place = Literal["whole", "planted", "cut", "blind", "untrained"]
Right = Literal["yes", "no", "told", "unknown", "refused"]
"""`yes` and `no` are verdicts, `told` an answer without one, `unknown` that it is not known, `refused` a sentence that
says why it can't be asked."""


@dataclass(frozen=True)
class Case:
    """`named` must be among the components that the answer names, and of `only` (where it is given) they all must be.
    `concept` is what a description must say, `shown` the kind of question that is asked about a picture, `against` the
    other target. `kind` is how the question must be understood."""

    place: Place
    text: str
    kind: str
    right: Right
    because: str
    named: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    concept: str = ""
    shown: str = ""
    against: str = ""
    again: bool = False


SEEN = "a probe for the color was written into this neuron's input weights"
IDLE = "this neuron's output weights are zero"
CUT = "of the heads of layer 5 all but one were given output weights of zero"
MUTE = "the output weights of every head of layer 4 are zero"
DARK = "the connector's output is zero: no picture reaches the words"
ASKS = "the target answers these questions right from pictures, and not from grey ones"
WORLD = "the scene graph says so, and the target's plain answer agrees"
STORED = "it was answered before"

FORTY: tuple[Case, ...] = (
    # Which components: planted readers, heads that were cut, a target that sees nothing.
    Case("planted", "which neurons of layer 3 read red?", "which", "yes", SEEN, ("{red}",)),
    Case(
        "planted", "Which neurons in layer 2 respond to purple things?", "which", "yes", SEEN, ("{purple}",)
    ),
    Case("planted", "which neurons of layer 5 write polling answers?", "which", "yes", SEEN, ("{says_yes}",)),
    Case(
        "cut",
        "which heads of layer 5 write the color?",
        "which",
        "yes",
        CUT,
        ("language.5.head.2",),
        ("language.5.head.2",),
    ),
    Case(
        "cut",
        "which heads of layer 5 carry an object's color to the answer?",
        "which",
        "yes",
        CUT,
        ("language.5.head.2",),
        ("language.5.head.2",),
    ),
    Case("cut", "which heads of layer 4 carry the color?", "which", "no", MUTE),
    Case("blind", "which language heads read red?", "which", "unknown", DARK),
    Case("blind", "which language heads carry the color?", "which", "unknown", DARK),
    # Whether a component is used: planted neurons with and without an output, a head that was cut.
    Case("planted", "is {red} used?", "needed", "no", IDLE),
    Case("planted", "is {purple} needed for color questions?", "needed", "no", IDLE),
    Case("planted", "is {pink} used?", "needed", "yes", "its output was made to mislead", ("{pink}",)),
    Case("cut", "is language.5.head.0 used?", "needed", "no", CUT),
    # Used or only encoded.
    Case("whole", "is the color used or only encoded for color questions?", "used", "yes", ASKS),
    Case("whole", "is the shape used for shape questions?", "used", "yes", ASKS),
    Case(
        "whole",
        "does the model use the background for color questions?",
        "used",
        "no",
        "answers about colors do not change with the background",
    ),
    Case("blind", "is red used for color questions?", "used", "no", DARK),
    Case(
        "untrained",
        "is the color used for color questions?",
        "used",
        "unknown",
        "it was never trained and answers nothing",
    ),
    # Why this answer: facts of the world.
    Case("whole", "why '{said}'?", "why", "yes", WORLD, shown="color"),
    Case("whole", "why does the model say “{said}”?", "why", "yes", WORLD, shown="shape"),
    Case("whole", "why '{other}'?", "why", "no", WORLD, shown="color"),
    Case("blind", "why '{said}'?", "why", "unknown", DARK, shown="color"),
    # Two components, two targets.
    Case(
        "planted",
        "compare {purple} and {vision_purple}",
        "compare",
        "yes",
        "the same color was planted into both",
        ("{purple}", "{vision_purple}"),
    ),
    Case(
        "planted", "compare {red} with {purple}", "compare", "no", "different colors were planted into them"
    ),
    Case(
        "whole",
        "which heads of layer 5 write the color?",
        "beside",
        "yes",
        CUT,
        ("language.5.head.0",),
        against="cut",
    ),
    Case(
        "whole",
        "which language heads write the color?",
        "beside",
        "told",
        "the other was never trained",
        against="untrained",
    ),
    # From the store alone.
    Case("planted", "what is known about moons on fire?", "known", "unknown", "nobody asked about them"),
    Case("planted", "which neurons of layer 3 fire on red?", "which", "yes", STORED, ("{red}",), again=True),
    Case("planted", "is the neuron {red} used or only encoded?", "needed", "no", STORED, again=True),
    Case(
        "whole", "is an object's colour really used for color questions?", "used", "yes", STORED, again=True
    ),
    Case("cut", "which language heads of layer 4 transport the color?", "which", "no", STORED, again=True),
    Case("planted", "how do {purple} and {vision_purple} differ?", "compare", "yes", STORED, again=True),
    Case("whole", "why '{said}'?", "why", "yes", STORED, shown="color", again=True),
    Case("planted", "what is known about red?", "known", "told", STORED, again=True),
    # What does it do: described by a labelling run of its own, then from the store.
    Case("planted", "what does {red} do?", "what", "told", SEEN, ("{red}",), concept="red thing"),
    Case(
        "planted",
        "explain the neuron {red}",
        "what",
        "told",
        STORED,
        ("{red}",),
        concept="red thing",
        again=True,
    ),
    # What can't be asked.
    Case("whole", "", "", "refused", "there is no question"),
    Case("whole", "do you dream of electric sheep?", "", "refused", "it is none of the kinds"),
    Case("whole", "which heads carry elephants?", "", "refused", "the judge knows no such word"),
    Case("whole", "what does language.9.mlp.0 do?", "", "refused", "there are six layers"),
    Case("whole", "why 'red'?", "", "refused", "no picture is given"),
)
