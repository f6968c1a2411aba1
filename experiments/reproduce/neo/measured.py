"""Everything that is measured of one target: three readouts, the lens and the windows, on the same items.

Composes ablation.py, lens.py and blocking.py. Knows nothing about papers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.reproduce.neo.ablation import Readout, captions, polls, questions
from experiments.reproduce.neo.blocking import Blocking, blocking
from experiments.reproduce.neo.items import Pictures
from experiments.reproduce.neo.lens import Lens, lens
from experiments.reproduce.neo.prepared import Prepared, mean_sizes, prepared

if TYPE_CHECKING:
    from tools.engine.engine import Engine

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Measured:
    """`readouts` by name: `polling`, `vqa` where questions have known answers, `captions`. An untrained copy, which
    answers by chance, has no `blocking`."""

    items: Prepared
    readouts: dict[str, Readout]
    lens: Lens
    blocking: Blocking | None

    def as_json(self, seed: int) -> dict[str, Any]:
        return {
            "items": {
                "n": len(self.items.items),
                "crowded": self.items.crowded,
                "unseen": self.items.unseen,
                "tokens": len(self.items.things[0]),
                "set_sizes": {name: round(size, 2) for name, size in mean_sizes(self.items.sets).items()},
            },
            "ablation": {name: readout.as_json(seed) for name, readout in self.readouts.items()},
            "lens": self.lens.as_json(seed),
            "knockout": self.blocking.as_json(seed) if self.blocking else None,
        }


def measured(
    engine: Engine,
    pictures: Pictures,
    seed: int,
    *,
    gradients: bool = True,
    control: bool = False,
    say: Say = lambda _: None,
) -> Measured:
    """A `control` is spared the windows. Raises UserError for a target that can't be asked or whose tokens
    are no grid."""
    name = engine.target.name
    found = prepared(engine, pictures, seed)
    say(f"{name}: {len(found.items)} items")
    readouts = {"polling": polls(engine, found, gradients)}
    say(f"{name}: {int(readouts['polling'].right.sum())} polls answered yes")
    told = questions(engine, found, gradients)
    if told is not None:
        readouts["vqa"] = told
        say(f"{name}: {int(told.right.sum())} of {len(told.right)} questions answered rightly")
    readouts["captions"] = captions(engine, found, pictures.longest, say)
    say(f"{name}: {int(readouts['captions'].right.sum())} captions name the thing")
    seen = lens(engine, found, seed)
    say(f"{name}: the lens is read")
    return Measured(found, readouts, seen, None if control else blocking(engine, found, seed))
