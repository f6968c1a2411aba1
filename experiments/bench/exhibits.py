"""The pictures beside a label: what excites the component most, and where the words fit it least on the test.

What fits least is the largest distance from a straight line through the component's values and the words' presence on
the test, as the scorer judges it: there truth and words differ, if anywhere. Knows a workplace; knows no truths.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from PIL import Image

from experiments.bench.examples import RIGHT, WRONG, drawn, in_words, is_right, judged, truth_in_words, why
from experiments.bench.found import Found
from experiments.scoring.judged import Judged
from experiments.workplace import Workplace
from reports.examples import Drawn, Example, View
from store.address import Address, parse
from store.errors import UserError
from store.records import Reading
from tools.budget import Budget
from tools.methods.showing import maps, seen_by
from tools.pictures import overlay
from tools.pools import side
from tools.scoring.concept import concept_values
from tools.stimuli import ImageSource, Stimulus

TOP, DOUBTFUL = 6, 3
"""Pictures of each kind beside a label."""
FAINT = 0.25
"""Share of its largest value up to which a component shows no place of a picture."""


def examples(workplace: Workplace, found: Sequence[Found]) -> Drawn:
    """The labels that a person is shown, with their pictures, drawn by the workplace's seed."""
    labels = judged(found)
    right = [one for one in labels if is_right(one)]
    wrong = [one for one in labels if not is_right(one)]
    show = Exhibits(workplace).example
    return Drawn(
        [show(one) for one in drawn(right, RIGHT, workplace.seed)],
        [show(one) for one in drawn(wrong, WRONG, workplace.seed)],
        len(right),
        len(wrong),
        workplace.seed,
    )


class Exhibits:
    """Makes an example's pictures, with one judgement of the test's pictures for all of them."""

    def __init__(self, workplace: Workplace) -> None:
        world = workplace.world
        self._context = workplace.context(Budget(None))
        self._train, self._test = world.train, world.test
        self._judged = Judged(
            world.scorer_judge, world.test, name=world.scorer_judge_name, folder=workplace.cache / "judged"
        )

    def example(self, one: Found) -> Example:
        said, address = one.description, parse(one.truth.component)
        return Example(
            component=one.truth.component,
            kind=one.truth.kind.replace("_", " "),
            truth=truth_in_words(one),
            said=in_words(said.concept),
            written=said.concept,
            right=is_right(one),
            why=why(one),
            status=said.status,
            reading=str(said.reading),
            score=said.scores.get("pearson"),
            top=self._top(address, said.reading),
            doubtful=self._doubtful(address, said.reading, said.concept),
        )

    def _top(self, address: Address, reading: Reading) -> tuple[View, ...]:
        values = self._values(self._train, address, reading)
        order = np.argsort(-values, kind="stable")[:TOP]
        return self._views(self._train, address, reading, values, order.tolist())

    def _doubtful(self, address: Address, reading: Reading, concept: str) -> tuple[View, ...]:
        """None where nothing was said that can be judged."""
        try:
            presence = concept_values(concept, self._judged.column) if concept else None
        except UserError:
            presence = None
        values = self._values(self._test, address, reading)
        if presence is None or not np.isfinite(values).all():
            return ()
        order = np.argsort(-np.abs(beside_line(values, presence)), kind="stable")[:DOUBTFUL].tolist()
        return self._views(self._test, address, reading, values, order, presence)

    def _values(
        self, images: ImageSource, address: Address, reading: Reading
    ) -> Float[np.ndarray, "stimulus"]:
        """Turned so that larger means more."""
        stimuli = [images.asked(number) for number in range(len(images))]
        return side(self._context.activations.pooled([address], stimuli), reading)[:, 0].astype(np.float64)

    def _views(
        self,
        images: ImageSource,
        address: Address,
        reading: Reading,
        values: Float[np.ndarray, "stimulus"],
        numbers: Sequence[int],
        presence: Float[np.ndarray, "stimulus"] | None = None,
    ) -> tuple[View, ...]:
        stimuli = [images.asked(number) for number in numbers]
        largest = float(np.nanmax(np.abs(values))) or 1.0
        return tuple(
            View(
                picture,
                float(values[number]) / largest,
                None if presence is None else float(presence[number]),
                "" if reading.scope == "visual" else stimulus.question,
            )
            for number, stimulus, picture in zip(
                numbers, stimuli, self._pictures(address, reading, stimuli, largest), strict=True
            )
        )

    def _pictures(
        self, address: Address, reading: Reading, stimuli: Sequence[Stimulus], largest: float
    ) -> list[Image.Image]:
        """With heat where the reading is about places of the picture, full where the component is as active as it ever
        is. A picture on which it is FAINT is shown as it is: there is no place to show, but a look to be seen."""
        if reading.scope != "visual" or not seen_by(self._context, address):
            return [stimulus.image for stimulus in stimuli]
        heat = maps(self._context, address, reading, stimuli)
        return [
            overlay(one.image, hot, largest) if np.nanmax(hot) > FAINT * largest else one.image
            for one, hot in zip(stimuli, heat, strict=True)
        ]


def beside_line(
    values: Float[np.ndarray, "stimulus"], presence: Float[np.ndarray, "stimulus"]
) -> Float[np.ndarray, "stimulus"]:
    """How far each value lies above the least-squares line over presence, or their mean where that is constant."""
    centered = presence - presence.mean()
    spread = float(centered @ centered)
    slope = float(centered @ values) / spread if spread > 0 else 0.0
    return values - values.mean() - slope * centered
