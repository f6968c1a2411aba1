"""Records without end and says what is acknowledged, until it is killed: `python -m tests.store.recording STORE RUN`.

A line `e STEP.CALL NUMBER` comes once the call is in the store, `s STEP` once the decision is, `a SHA` once a file is.
"""

from __future__ import annotations

import itertools
import sys

from store.database import open_store
from tests.store.records import UNIT, measure


def main(where: str, run: str) -> None:
    with open_store(where) as store:
        for step in itertools.count():
            store.recorder.step(run, UNIT, step, {"step": step})
            say("s", step)
            for call in range(2):
                experiment = measure(store, run, step, call, arguments={"step": step, "call": call})
                say("e", f"{step}.{call}", experiment.number)
            say("a", store.artifacts.put(f"{step}".encode() * 2000, "image/png"))


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
