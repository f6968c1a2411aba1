"""Training batches, drawn fresh for every step and always the same for the same step.

Knows how scenes, questions and captions become tensors. A batch depends on (stage, step) alone, so a resumed training
goes on with exactly the batches it would have had, and no scene is ever seen twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from experiments.tableau.asker import Asker
from experiments.tableau.captions import caption
from experiments.tableau.lexicon import END, PAD, START, TURN, vocabulary
from experiments.tableau.phrases import Phrase, find
from experiments.tableau.questions import CAPTION_PROMPT, KINDS, Kind, Question, answer
from experiments.tableau.render import render
from experiments.tableau.sampler import Distribution, sample
from experiments.tableau.scene import SIDE, Scene
from experiments.tableau.train.dense import dense_labels

IDS = {word: index for index, word in enumerate(vocabulary())}
QUESTION_WIDTH = 20
CAPTION_WIDTH = 46
PREFIX_WIDTH = 44
"""Tokens in a question's slot, a caption's slot and a text prefix; what would not fit is drawn again."""
CAPTION_WEIGHT = 0.6
END_WEIGHT = 0.1
KIND_WEIGHTS: dict[Kind, float] = {
    "polling": 3.2,
    "color": 3.0,
    "shape": 2.0,
    "fill": 1.4,
    "size": 0.8,
    "background": 0.5,
    "counting": 3.4,
    "relation": 2.2,
    "relation_yn": 3.0,
    "two_hop": 1.0,
    "compare": 1.2,
    "sign": 0.5,
}
"""How often each kind is asked behind a picture."""
TEXT_KINDS: dict[Kind, float] = {
    kind: weight
    for kind, weight in KIND_WEIGHTS.items()
    if kind not in ("relation", "relation_yn", "two_hop", "compare")
}
"""The kinds that a caption alone can answer; it does not say where things are."""
ABSENT_SHARE = 0.06
"""Share of attribute questions that ask about something that is not there."""
KEPT: dict[str, float] = {"nothing": 0.4, "zero": 0.4, "one": 0.5}
"""Answers that nearly every scene allows, and the share of them that is kept; there would be too many."""

B = TypeVar("B")


class Slots(NamedTuple):
    """Token ids of packed slots, what each position must predict, and with which weight; 0 = not supervised.

    `places`: where a phrase ends that names one thing, that thing's center (x, y in [−1, 1]); elsewhere NaN.
    """

    ids: Int[Tensor, "row position"]
    targets: Int[Tensor, "row position"]
    weights: Float[Tensor, "row position"]
    places: Float[Tensor, "row position 2"]


class Place(NamedTuple):
    """The thing that a question names with its word number `word` stands at (x, y), each in [−1, 1]."""

    word: int
    x: float
    y: float


class Turn(NamedTuple):
    """A question in words, its answer, and its kind as an index into KINDS."""

    asked: str
    said: str
    kind: int
    places: tuple[Place, ...] = ()


Dialogue = Callable[[Scene, np.random.Generator, int], list[Turn]]
"""Asks so many questions about a scene at most, and says what is to be answered."""


class PictureBatch(NamedTuple):
    """Pictures in [-1, 1], their dense labels, questions behind them (−1 = empty slot), and their captions."""

    pixels: Float[Tensor, "row 3 side side"]
    labels: Int[Tensor, "row readout patch"]
    questions: Slots
    kinds: Int[Tensor, "row slot"]
    captions: Slots


class TextBatch(NamedTuple):
    """Texts as prefixes, and questions about them."""

    prefix: Slots
    lengths: Int[Tensor, "row"]
    questions: Slots


@dataclass(frozen=True)
class Steps(Dataset[B]):
    """The batches of a stage as a data set: item `i` is the batch of step `i`."""

    make: Callable[[int], B]
    steps: int

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> B:
        return self.make(step)


def stream(make: Callable[[int], B], start: int, steps: int, workers: int) -> Iterator[B]:
    """Batches of steps `start` … `steps` − 1, made ahead by `workers` processes (0: made when asked for)."""
    loader: Iterable[B] = DataLoader(
        Steps(make, steps),
        batch_size=None,
        sampler=list(range(start, steps)),
        num_workers=workers,
        prefetch_factor=4 if workers else None,
    )
    return iter(loader)


def pixels(scenes: Iterable[Scene]) -> Float[Tensor, "row 3 side side"]:
    """Rendered scenes, scaled as the image processor does it: value / 127.5 − 1."""
    pictures = torch.from_numpy(np.stack([render(scene) for scene in scenes]))
    return pictures.permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def scenes_of(
    stage: int, step: int, rows: int, mix: dict[Distribution, float], stream: int = 0
) -> list[Scene]:
    """The scenes of a step: `mix` gives the share of each distribution."""
    rng = np.random.default_rng([stage, step, stream])
    kinds: list[Distribution] = list(mix)
    drawn = rng.choice(len(kinds), size=rows, p=np.array(list(mix.values())) / sum(mix.values()))
    return [
        sample((stage << 40) + step * rows + row, kinds[choice], stream) for row, choice in enumerate(drawn)
    ]


def labels_of(scenes: Iterable[Scene]) -> Int[Tensor, "row readout patch"]:
    return torch.from_numpy(np.stack([dense_labels(scene) for scene in scenes]))


def picture_batch(
    scenes: list[Scene], rng: np.random.Generator, questions: int, held: Dialogue | None = None
) -> PictureBatch:
    """`questions` different questions and a caption behind every picture; `held` asks and answers them otherwise."""
    asked = [(held or dialogue)(scene, rng, questions) for scene in scenes]
    told = [[Turn(CAPTION_PROMPT, caption(scene), -1)] for scene in scenes]
    kinds = torch.tensor([[turn.kind for turn in turns] + [-1] * (questions - len(turns)) for turns in asked])
    return PictureBatch(
        pixels(scenes),
        labels_of(scenes),
        _slots(asked, questions, QUESTION_WIDTH, 1.0),
        kinds,
        _slots(told, 1, CAPTION_WIDTH, CAPTION_WEIGHT),
    )


def text_batch(scenes: list[Scene], rng: np.random.Generator, questions: int) -> TextBatch:
    """Half of the rows: a caption and questions about it; the other half: facts and a question about them."""
    prefixes, dialogues = [], []
    for index, scene in enumerate(scenes):
        if index % 2:
            prefixes.append(caption(scene))
            dialogues.append(dialogue(scene, rng, questions, TEXT_KINDS))
        else:
            facts, turns = _context(Asker(scene, rng), rng)
            prefixes.append(facts)
            dialogues.append(turns)
    encoded = [[IDS[START], *encode(text)][:PREFIX_WIDTH] for text in prefixes]
    ids = torch.full((len(scenes), PREFIX_WIDTH), IDS[PAD])
    for row, tokens in enumerate(encoded):
        ids[row, : len(tokens)] = torch.tensor(tokens)
    targets = torch.cat([ids[:, 1:], ids[:, :1]], dim=1)
    lengths = torch.tensor([len(tokens) for tokens in encoded])
    inside = torch.arange(PREFIX_WIDTH)[None] < lengths[:, None] - 1
    return TextBatch(
        Slots(ids, targets, inside * CAPTION_WEIGHT, torch.full((*ids.shape, 2), torch.nan)),
        lengths,
        _slots(dialogues, questions, QUESTION_WIDTH, 1.0),
    )


def encode(text: str) -> list[int]:
    """Token ids of words that are separated by spaces."""
    return [IDS[word] for word in text.split()]


def dialogue(
    scene: Scene, rng: np.random.Generator, questions: int, weights: dict[Kind, float] = KIND_WEIGHTS
) -> list[Turn]:
    """Different questions with their answers; fewer when the scene does not give so many."""
    asker = Asker(scene, rng)
    kinds, shares = list(weights), np.array(list(weights.values()))
    asked: dict[Question, Turn] = {}
    for choice in rng.choice(len(kinds), size=2 * questions, p=shares / shares.sum()):
        kind = kinds[choice]
        absent = kind in ("color", "shape", "fill", "size") and rng.random() < ABSENT_SHARE
        question = asker.draw_absent(kind) if absent else asker.draw(kind)
        if question is None or question in asked:
            continue
        said = answer(question, scene)
        text = question.text(int(rng.integers(6)))
        if rng.random() > KEPT.get(said, 1.0):
            continue
        if len(text.split()) + 3 > QUESTION_WIDTH:
            continue
        asked[question] = Turn(text, said, KINDS.index(kind), _places(question, text, scene))
        if len(asked) == questions:
            break
    return list(asked.values())


def _places(question: Question, text: str, scene: Scene) -> tuple[Place, ...]:
    """Where the things stand that the question's phrases name, as far as each names one and stands in the text."""
    found = []
    words = text.split()
    for phrase, last in ((question.phrase, False), (question.other, True)):
        if phrase is None or phrase == Phrase():
            continue
        named, said = find(phrase, scene), str(phrase).split()
        starts = [start for start in range(len(words)) if words[start : start + len(said)] == said]
        if len(named) == 1 and starts:
            thing, start = scene.things[named[0]], starts[-1 if last else 0]
            found.append(Place(start + len(said) - 1, 2 * thing.x / SIDE - 1, 2 * thing.y / SIDE - 1))
    return tuple(found)


def _context(asker: Asker, rng: np.random.Generator) -> tuple[str, list[Turn]]:
    """Facts as one text, and one question about each of them."""
    question = asker.draw("context")
    assert question is not None
    turns = []
    for fact in question.facts:
        words = Question("context", Phrase(shape=fact.shape)).text(int(rng.integers(6)))
        turns.append(Turn(words.strip(), fact.color, KINDS.index("context")))
    return " ".join(map(str, question.facts)), turns


def _slots(dialogues: list[list[Turn]], number: int, width: int, weight: float) -> Slots:
    """Turns as rows of `number` slots; a position's target is the next token, supervised in the answer only."""
    shape = (len(dialogues), number, width)
    ids = np.full(shape, IDS[PAD], dtype=np.int64)
    targets = np.full(shape, IDS[PAD], dtype=np.int64)
    weights = np.zeros(shape, dtype=np.float32)
    places = np.full((*shape, 2), np.nan, dtype=np.float32)
    for row, turns in enumerate(dialogues):
        for slot, turn in enumerate(turns):
            question = encode(f"{turn.asked} {TURN}")
            tokens = [*question, *encode(turn.said), IDS[END]][: width + 1]
            ids[row, slot, : min(len(tokens), width)] = tokens[:width]
            targets[row, slot, : len(tokens) - 1] = tokens[1:]
            weights[row, slot, len(question) - 1 : len(tokens) - 1] = weight
            weights[row, slot, len(tokens) - 2] = min(weight, END_WEIGHT)
            for place in turn.places:
                places[row, slot, place.word] = place.x, place.y
    rows = len(dialogues)
    return Slots(
        torch.from_numpy(ids.reshape(rows, -1)),
        torch.from_numpy(targets.reshape(rows, -1)),
        torch.from_numpy(weights.reshape(rows, -1)),
        torch.from_numpy(places.reshape(rows, -1, 2)),
    )
