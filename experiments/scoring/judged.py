"""One judge over one split: presence of phrases in every stimulus, judged once for all components and kept in a file.

Knows which judge said what of which pictures; knows nothing of components, so a judge can't be led by them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, Int

from experiments.scoring.judge_error import error_of
from store.errors import UserError
from store.records import Split
from tools.judging import ConceptJudge, judge_matrix
from tools.stimuli import ImageSource, Stimulus

AT_ONCE = 64
"""Pictures that are in memory together."""
WORDS = ("concept", "unknown_phrase")
"""Kinds of errors that are about the words of a concept, not about the judge or the pictures."""
SHARED = "shared judge"
"""Mark of a score whose judge is also the planner's."""
SAMPLED = "importance-sampled"
"""Mark of a score whose judge saw only a part of the stimuli (tools/scoring/importance.py)."""


class Judged:
    """A judge's columns over all stimuli of a source (with their questions), made when first asked for.

    `name` is what scores print; `fingerprint` tells judges of one name apart. With a folder, columns outlive the
    process: one file for each judge and source. Phrases that the judge does not understand are remembered as refused.
    `rows` are the stimuli that are looked at: all, but of a `part`. What was not judged is NaN among the columns kept.
    """

    def __init__(
        self,
        judge: ConceptJudge,
        source: ImageSource,
        *,
        name: str,
        fingerprint: str = "",
        folder: Path | None = None,
    ) -> None:
        self.judge = judge
        self.source = source
        self.name = name
        self.rows: Int[np.ndarray, "stimulus"] = np.arange(len(source))
        key = hashlib.sha256(f"{name}|{fingerprint}|{source.fingerprint}|{len(source)}".encode()).hexdigest()
        self._file = folder / f"judged-{key[:20]}.npz" if folder else None
        self._columns: dict[str, Float32[np.ndarray, "stimulus"]] = dict(self._kept())
        self._refused: dict[str, UserError] = {}

    @property
    def split(self) -> Split:
        return self.source.split

    def part(self, rows: Int[np.ndarray, "chosen"]) -> Judged:
        """The same judge on some of the stimuli, by their places in the source; what it says there is known to both."""
        chosen = copy(self)
        chosen.rows = rows
        return chosen

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def stimuli(self) -> Iterator[list[Stimulus]]:
        """All stimuli in order, AT_ONCE at a time."""
        yield from self._shown(self.rows)

    def prepare(self, phrases: Iterable[str]) -> None:
        """Judges in one pass what has not been judged yet; what is not understood is refused later, by `column`."""
        new = [p for p in dict.fromkeys(phrases) if p not in self._refused and len(self._missing(p))]
        if not new:
            return
        known = new if self._understood(new) else [phrase for phrase in new if self._understood([phrase])]
        together: dict[bytes, list[str]] = {}
        for phrase in known:
            together.setdefault(self._missing(phrase).tobytes(), []).append(phrase)
        for words in together.values():
            rows = self._missing(words[0])
            matrix = np.concatenate([judge_matrix(self.judge, shown, words) for shown in self._shown(rows)])
            for place, phrase in enumerate(words):
                column = self._columns.setdefault(phrase, _nowhere(len(self.source)))
                column[rows] = np.clip(matrix[:, place], 0, 1)
        if known:
            self._keep()

    def column(self, phrase: str) -> Float[np.ndarray, "stimulus"]:
        """Presence of the phrase in every stimulus, from 0 to 1. Raises the judge's UserError for an unknown one."""
        self.prepare([phrase])
        if phrase in self._refused:
            raise self._refused[phrase]
        return self._columns[phrase][self.rows].astype(np.float64)

    def knows(self, phrase: str) -> bool:
        """Whether the judge understands the phrase."""
        self.prepare([phrase])
        return phrase not in self._refused

    def columns(self, phrases: Sequence[str]) -> Float[np.ndarray, "phrase stimulus"]:
        """Rows in the order of `phrases`."""
        self.prepare(phrases)
        return np.array([self.column(phrase) for phrase in phrases]).reshape(len(phrases), len(self))

    def mark(self, planner: str) -> str:
        """What a score says of its judge, and of the judge's own error; `planner` names the planner's."""
        told = [f"{self.name} ({error_of(self.name)})"]
        if planner == self.name:
            told.append(SHARED)
        if len(self) < len(self.source):
            told.append(f"{SAMPLED}: {len(self)} of {len(self.source)} pictures")
        return ", ".join(told)

    def _missing(self, phrase: str) -> Int[np.ndarray, "missing"]:
        """Those of the rows that the phrase has not been judged in."""
        column = self._columns.get(phrase)
        return self.rows if column is None else self.rows[np.isnan(column[self.rows])]

    def _shown(self, rows: Int[np.ndarray, "chosen"]) -> Iterator[list[Stimulus]]:
        for first in range(0, len(rows), AT_ONCE):
            yield [self.source.asked(int(index)) for index in rows[first : first + AT_ONCE]]

    def _understood(self, phrases: Sequence[str]) -> bool:
        """Tries the phrases on one stimulus; one that is not understood on its own is remembered."""
        try:
            judge_matrix(self.judge, [self.source.asked(int(self.rows[0]))], phrases)
        except UserError as refusal:
            if refusal.kind not in WORDS:
                raise
            if len(phrases) == 1:
                self._refused[phrases[0]] = refusal
            return False
        return True

    def _kept(self) -> Iterator[tuple[str, Float32[np.ndarray, "stimulus"]]]:
        if self._file is None or not self._file.is_file():
            return
        with np.load(self._file, allow_pickle=False) as kept:
            yield from zip(kept["phrases"].tolist(), kept["presence"], strict=True)

    def _keep(self) -> None:
        """Written under another name first, so that a killed process leaves a whole file or none."""
        if self._file is None:
            return
        for phrase, kept in self._kept():
            own = self._columns.setdefault(phrase, kept)
            self._columns[phrase] = np.where(np.isnan(own), kept, own)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_suffix(f".{os.getpid()}.tmp")
        with partial.open("wb") as file:
            np.savez_compressed(
                file, phrases=np.array(list(self._columns)), presence=np.stack(list(self._columns.values()))
            )
        partial.replace(self._file)


def _nowhere(number: int) -> Float32[np.ndarray, "stimulus"]:
    """A column of which nothing has been judged."""
    return np.full(number, np.nan, dtype=np.float32)
