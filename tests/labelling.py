"""One small labelling run that many tests look at, made by the real command, and a scripted language model that labels.

The embedded model has neurons on few pictures: one that can be described and one about which nothing stands.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from experiments.faults.model import PREDICTION, TEXT
from tests.agent.scripted_server import Body, Reply, says
from tests.conftest import CHECKOUT

IMAGES = "tableau:40/24/40"
DESCRIBED, ABSTAINED = "vision.3.mlp.0", "vision.3.mlp.1"


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    out: str
    err: str
    code: int

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


@dataclass(frozen=True)
class Place:
    """A folder with a cache and a store, in which commands run; `key` is what endpoints are sent."""

    folder: Path
    cache: Path
    key: str = "none"

    @property
    def store(self) -> Path:
        return self.folder / "store.db"

    def says(self, *words: str) -> Said:
        """Runs a command in this process."""
        from experiments.commands.app import run

        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for name, value in self.environment.items():
                patch.setenv(name, value)
            code = run(words)
        return Said(out.getvalue(), err.getvalue(), code)

    def begins(self, *words: str) -> subprocess.Popen[str]:
        """Begins a command in a process and a session of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "maieutic", *words],
            cwd=CHECKOUT,
            env=os.environ | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    @property
    def environment(self) -> dict[str, str]:
        return {
            "MAIEUTIC_STORE": str(self.store),
            "MAIEUTIC_CACHE": str(self.cache),
            "OMP_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
            "OPENAI_API_KEY": self.key,
        }


@dataclass(frozen=True)
class Labelled:
    """The run, and what the command said when it made it."""

    place: Place
    said: Said

    @property
    def run(self) -> str:
        return str(self.said.json["run"])


def labelled(folder: Path) -> Labelled:
    """The run in `folder`: made once, however many processes ask for it."""
    place = Place(folder, folder / "cache")
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder / "lock"):
        kept = folder / "said.json"
        if not kept.is_file():
            said = place.says(*label(f"{DESCRIBED},{ABSTAINED}"), "--json")
            kept.write_text(json.dumps([said.out, said.err, said.code]), encoding="utf-8")
    return Labelled(place, Said(*json.loads(kept.read_text(encoding="utf-8"))))


def label(components: str, *more: str) -> tuple[str, ...]:
    return "label", "tableau-llava", "--components", components, "--images", IMAGES, *more


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """While the block runs, no other process is in one of the same path."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def turns(body: Body) -> int:
    """How often the model has answered before this request."""
    return sum(one["role"] == "assistant" for one in body["messages"])


def conclude(body: Body, text: str = TEXT) -> Reply:
    """A conclusion from the last experiment, whose name stands in `text` as `#`."""
    replies = [json.loads(one["content"]) for one in body["messages"] if one["role"] == "tool"]
    last = [one["experiment"] for one in replies if "quantities" in one][-1]
    words = {"label": "hearts", "concept": "heart", "text": text.replace("#", last), "confidence": 0.6}
    return says(("conclude", words))


def language_model(body: Body) -> Reply:
    """Looks, compares one phrase, gives a verdict, concludes; it reads all that it knows from the request."""
    component = re.search(r"`(\w+\.\d+\.\w+\.\d+)`", body["messages"][1]["content"])
    assert component
    match turns(body):
        case 0:
            return says(("describe", {"component": component[1], "n": 20}), content="What excites it?")
        case 1:
            aim = {"component": component[1], "concept": "heart", "n": 64}
            return says(("propose_hypothesis", PREDICTION), ("activations", aim))
        case 2:
            replies = [json.loads(one["content"]) for one in body["messages"] if one["role"] == "tool"]
            return says(("give_verdict", {"hypothesis": "h1", "experiment": replies[-1]["experiment"]}))
        case 3:
            return conclude(body)
    return says(("abstain", {"reason": "nothing stood its test"}))
