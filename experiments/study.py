"""`maieutic.Study`: labelling and questions for people who write Python, in scripts and notebooks.

Knows how words become a workplace and a run, and how a description looks in a notebook. Knows nothing about labelling
that the command does not: both call `experiments.label`, and one goes on with what the other began.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agent.ask.why import Shown
from agent.planner import Planner
from experiments.allowance import Allowance
from experiments.asking import ask
from experiments.commands.places import lasting_images, lasting_judge, lasting_target
from experiments.commands.workplaces import Service, chosen_planner, opened_workplace
from experiments.driving import InAThread
from experiments.label import begin, carry_on, choose
from experiments.terms import Terms, of_a_question
from experiments.workplace import Workplace
from store.errors import UserError
from store.plain import printable
from store.records import Description, Finding

SETS = frozenset("[*,")
"""What only the name of several components holds."""


class Described(Description):
    """A description with the run that made it, which a notebook shows as a card."""

    run: str

    def _repr_html_(self) -> str:
        heading = f"<strong>{_plain(self.component)}</strong>: {_plain(self.label or 'nothing stable')}"
        rows = "".join(
            f"<tr><td>{_plain(name)}</td><td>{score.value:.2f} [{score.ci[0]:.2f}, {score.ci[1]:.2f}]</td>"
            f"<td>n = {score.n}, {score.split}</td></tr>"
            for name, score in self.scores.items()
        )
        return (
            f"<div><p>{heading} ({self.status})</p><p>{_plain(self.text or self.reason)}</p>"
            f"<table>{rows}</table><p>run {_plain(self.run)}</p></div>"
        )


class Answered(Finding):
    """A finding with the run that made it."""

    run: str


class Study:
    """A target in its world with a store. Weights are loaded at once; close it, or use it in a `with`.

    `store` is a path or URL (default: the user's own), `images`, `judge`, `planner` and `judged` are those of
    `maieutic label`, and so is everything that goes wrong: UserError says what to do instead.
    """

    def __init__(
        self,
        store: str | Path = "",
        *,
        target: str = "tableau-llava",
        images: str | Path = "",
        judge: str = "",
        planner: str = "builtin",
        base_url: str = "",
        describer: str = "",
        prices: str = "",
        device: str = "auto",
        dtype: str = "float32",
        seed: int = 0,
        allowance: Allowance | None = None,
        judged: int = 0,
    ) -> None:
        target, images, judge = lasting_target(target), lasting_images(str(images)), lasting_judge(judge)
        self._words: dict[str, Any] = {"target": target, "images": images, "judge": judge, "planner": planner}
        self._words |= {"dtype": dtype, "judged": judged, "describer": describer}
        self._allowance = allowance or Allowance()
        self._service = service = Service(base_url, prices)
        with ExitStack() as opening:
            self.workplace: Workplace = opening.enter_context(
                opened_workplace(
                    target,
                    store=str(store),
                    images=images,
                    judge=judge,
                    describer=describer,
                    service=service,
                    device=device,
                    dtype=dtype,
                    seed=seed,
                )
            )
            self._planner = self._thinker(self._allowance.programs)
            self._drive = InAThread()
            self._open = opening.pop_all()

    def label(self, components: str | Sequence[str]) -> Described | list[Described]:
        """The description of one address; those of a set (`language.3.mlp[0:8]`) or of several as a list.

        Stopped or killed, the run stands in the store: `resume` goes on with it.
        """
        one = isinstance(components, str) and not SETS & set(components)
        chosen = choose(components, self.workplace.extent)
        words = self._words | self._allowance.words()
        words |= {
            "components": ",".join(map(str, chosen)),
            "seed": self.workplace.seed,
        }
        found = self.resume(begin(self.workplace, chosen, self._planner.name, words))
        return found[0] if one else found

    def ask(self, question: str, *, image: int | str = "", about: str = "") -> Answered:
        """The answer to a question in plain words: `.answer`, or `.reason` where it is not known, `.rows`, `.evidence`.

        A question why is about an `image` (its number or key) and what was asked `about` it.
        """
        shown = Shown(image, about) if about else None
        allowed = self._allowance
        words = self._words | {"seed": self.workplace.seed, "programs": allowed.programs}
        terms = Terms(self._planner, words, of_a_question(allowed), allowed, shown, self._drive)
        found = ask(self.workplace, question, terms).found
        return Answered(run=found.run, **found.finding.model_dump())

    def resume(self, run: str) -> list[Described]:
        """Does what a labelling run of this target has left to do, and gives all its descriptions."""
        begun = self.workplace.store.queries.run(run)
        if begun.kind != "label" or begun.fingerprint != self.workplace.target.fingerprint:
            raise UserError(
                f"`{run}` is no labelling run of `{self.workplace.target.name}`",
                kind="run",
                hint="open the study with the run's target",
            )
        programs = self._allowance.programs and begun.arguments.get("programs", True)
        allowed = replace(self._allowance, programs=programs)
        planner = self._planner if programs == self._allowance.programs else self._thinker(programs)
        found = carry_on(self.workplace, run, planner, allowed, drive=self._drive)
        return [Described(run=run, **one.model_dump()) for one in found.descriptions]

    def _thinker(self, programs: bool) -> Planner:
        return chosen_planner(self._words["planner"], self._service, self.workplace.store, programs=programs)

    def close(self) -> None:
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _plain(text: str) -> str:
    return html.escape(printable(text), quote=False)
