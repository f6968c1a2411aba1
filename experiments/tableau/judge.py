"""`tableau-judge`: a small convolutional network that says whether a phrase holds in a picture or a crop of one.

Knows pixels and the attributes of things; shares neither weights nor scenes with the models under study, and never
sees an activation. It finds things (a map of where their centers are), reads the attributes of each, and joins them:
P(phrase) = 1 − Π over things (1 − P(thing) · Π over attributes P(allowed)). Centers as in Zhou et al. 2019, "Objects
as Points". Learning is in train/judge.py, reading phrases in concepts.py.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from experiments.tableau.concepts import WORDS, Concept, read_concept
from experiments.tableau.phrases import ATTRIBUTES, Phrase
from experiments.tableau.scene import SIDE
from store.errors import UserError
from tools.scoring.narrowing import PLACES

STRIDE, COARSE = 4, 8
"""Pixels a cell of the maps, and a cell of the inner grid that sees context; pictures are padded to a multiple."""
SMALLEST = 16
"""Least width and height in pixels of a crop."""
PEAKS = 12
"""Most things found in one picture."""
APART = 5
"""Cells on a side of the neighborhood in which a center must be the likeliest."""
RARE = -4.0
"""Log-odds with which an untrained judge sees a center in a cell."""
REMEMBERED = 20_000
"""Pictures whose reading is kept, at most."""
AT_ONCE = 64 * SIDE * SIDE
"""Pixels in one forward pass of `present`."""


class Maps(NamedTuple):
    """Logits in every cell: a thing's center is here, and the attributes of the thing here; of the background once."""

    thing: Float[Tensor, "image row column"]
    size: Float[Tensor, "image word row column"]
    fill: Float[Tensor, "image word row column"]
    color: Float[Tensor, "image word row column"]
    shape: Float[Tensor, "image word row column"]
    background: Float[Tensor, "image word"]


class Reading(NamedTuple):
    """What is seen in pictures, as probabilities; words in the order of WORDS.

    `thing` says whether there is one at the peak, likeliest first; `x` and `y` are pixels from the top left corner.
    """

    thing: Float[Tensor, "image peak"]
    x: Float[Tensor, "image peak"]
    y: Float[Tensor, "image peak"]
    size: Float[Tensor, "image peak word"]
    fill: Float[Tensor, "image peak word"]
    color: Float[Tensor, "image peak word"]
    shape: Float[Tensor, "image peak word"]
    background: Float[Tensor, "image word"]


class Residual(nn.Module):
    """Adds two convolutions. Norms stand in the branch only: the absolute brightness passes them by."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.GroupNorm(width // 8, width),
            nn.GELU(),
            nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation),
            nn.GroupNorm(width // 8, width),
            nn.GELU(),
            nn.Conv2d(width, width, 3, padding=1),
        )

    def forward(
        self, features: Float[Tensor, "image width row column"]
    ) -> Float[Tensor, "image width row column"]:
        return features + self.branch(features)


class Judge(nn.Module):
    """`fine` and `coarse` are channels, multiples of 8, at STRIDE and at COARSE. Fulfils `tools.judging`."""

    def __init__(self, fine: int = 48, coarse: int = 64) -> None:
        super().__init__()
        self.widths = {"fine": fine, "coarse": coarse}
        self.stem = nn.Sequential(
            nn.Conv2d(3, fine // 2, 5, 2, 2), nn.GELU(), nn.Conv2d(fine // 2, fine, 3, 2, 1), Residual(fine)
        )
        self.context = nn.Sequential(
            nn.Conv2d(fine, coarse, 3, 2, 1),
            Residual(coarse),
            Residual(coarse, dilation=2),
            nn.Conv2d(coarse, fine, 1),
        )
        self.joint = nn.Sequential(Residual(fine), nn.GELU())
        self.heads = nn.ModuleDict({name: nn.Conv2d(fine, len(WORDS[name]), 1) for name in ATTRIBUTES})
        self.thing = nn.Conv2d(fine, 1, 1)
        self.bare = nn.Conv2d(fine, 1, 1)
        self.background = nn.Linear(fine, len(WORDS["background"]))
        self._seen: dict[bytes, Reading] = {}
        assert self.thing.bias is not None
        nn.init.constant_(self.thing.bias, RARE)

    def forward(self, pixels: Float[Tensor, "image 3 height width"]) -> Maps:
        """Pixels in [−1, 1], of any size. Cells that lie wholly in the padding (gray) are left out."""
        cells = self._cells(pixels)
        attention = self.bare(cells).flatten(1).softmax(-1)
        ground = (cells.flatten(2) @ attention[..., None])[..., 0]
        size, fill, color, shape = (self.heads[name](cells) for name in ATTRIBUTES)
        return Maps(self.thing(cells)[:, 0], size, fill, color, shape, self.background(ground))

    def _cells(self, pixels: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image fine row column"]:
        height, width = pixels.shape[-2:]
        rows, columns = -(-height // STRIDE), -(-width // STRIDE)
        local = self.stem(F.pad(pixels, (0, -width % COARSE, 0, -height % COARSE)))
        context = F.interpolate(self.context(local), scale_factor=COARSE // STRIDE)
        return self.joint(local + context)[..., :rows, :columns]

    @torch.no_grad()
    def embed(self, images: Sequence[Image.Image], /) -> Float32[np.ndarray, "image width"]:
        """Mean and sd over the cells of a picture of what stands in them: two numbers a channel."""
        rows = np.zeros((len(images), 2 * self.widths["fine"]), dtype=np.float32)
        for chosen in _alike(images):
            pixels = picture_pixels([images[index] for index in chosen])
            cells = self._cells(pixels.to(self.background.weight.device)).flatten(2)
            rows[chosen] = torch.cat([cells.mean(-1), cells.std(-1)], dim=1).float().cpu().numpy()
        return rows

    @torch.no_grad()
    def read(self, pixels: Float[Tensor, "image 3 height width"]) -> Reading:
        """What is seen in pictures of one size, pixels in [−1, 1]."""
        maps = Maps(*(part.float() for part in self(pixels)))
        peak = maps.thing == F.max_pool2d(maps.thing, APART, 1, APART // 2)
        heat = (maps.thing.sigmoid() * peak).flatten(1)
        thing, places = heat.topk(min(PEAKS, heat.shape[1]))
        columns = maps.thing.shape[-1]
        row, column = places // columns, places % columns
        x, y = (column + 0.5) * STRIDE, (row + 0.5) * STRIDE
        size, fill, color, shape = (_at(getattr(maps, name), places) for name in ATTRIBUTES)
        return Reading(thing, x, y, size, fill, color, shape, maps.background.softmax(-1))

    def presence(self, reading: Reading, phrases: Sequence[str | Phrase]) -> Float[Tensor, "image phrase"]:
        """Probability that each phrase holds in each picture that was read; UserError for a phrase not understood."""
        concepts = [read_concept(str(phrase)) for phrase in phrases]
        match = _matches(reading, concepts)
        some = 1 - (1 - match).prod(dim=1)
        ground = reading.background @ _allowed(concepts, "background").to(match)
        about_ground = torch.tensor(
            [concept.background is not None for concept in concepts], dtype=torch.bool
        )
        return torch.where(about_ground.to(some.device), ground, some).clamp(0, 1)

    def present(
        self, images: Sequence[Image.Image], phrases: Sequence[str | Phrase], /
    ) -> Float32[np.ndarray, "image phrase"]:
        """Probability that each phrase holds in each picture or crop; crops are judged at their own size.

        A picture that was read before is not read again. Raises UserError for a phrase that is not understood, or a
        picture with a side below SMALLEST.
        """
        for phrase in phrases:
            read_concept(str(phrase))
        if not images:
            return np.zeros((0, len(phrases)), dtype=np.float32)
        return self.presence(self.seen(images), phrases).cpu().numpy().astype(np.float32)

    def counted(
        self, images: Sequence[Image.Image], phrases: Sequence[str | Phrase], /
    ) -> Float32[np.ndarray, "image phrase"]:
        """Expected number of things that each phrase fits; at most PEAKS. Raises UserError as `present` does."""
        concepts = [read_concept(str(phrase)) for phrase in phrases]
        if not images:
            return np.zeros((0, len(phrases)), dtype=np.float32)
        return _matches(self.seen(images), concepts).sum(dim=1).cpu().numpy().astype(np.float32)

    def seen(self, images: Sequence[Image.Image]) -> Reading:
        """What is seen in pictures or crops of any sizes, at least one; what was read before is not read again."""
        keys = [hashlib.sha256(repr(image.size).encode() + image.tobytes()).digest() for image in images]
        if len(self._seen) + len(images) > REMEMBERED:
            self._seen.clear()
        self._look({key: image for key, image in zip(keys, images, strict=True) if key not in self._seen})
        rows = [self._seen[key] for key in keys]
        return Reading(*(torch.stack(part) for part in zip(*rows, strict=True)))

    def train(self, mode: bool = True) -> Judge:
        """Weights that change see anew."""
        self._seen.clear()
        return super().train(mode)

    def _look(self, new: dict[bytes, Image.Image]) -> None:
        """Reads pictures and remembers what was seen."""
        keys, images = list(new), list(new.values())
        device = self.background.weight.device
        for chosen in _alike(images):
            reading = self.read(picture_pixels([images[index] for index in chosen]).to(device))
            for place, index in enumerate(chosen):
                self._seen[keys[index]] = Reading(*(part[place].clone() for part in reading))

    def save(self, folder: Path) -> None:
        """Writes `config.json` and the weights in fp16 (`model.safetensors`)."""
        folder.mkdir(parents=True, exist_ok=True)
        config = {"model_type": "tableau-judge", **self.widths}
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        weights = {name: value.half().cpu().contiguous() for name, value in self.state_dict().items()}
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})

    @classmethod
    def load(cls, folder: Path) -> Judge:
        """A saved judge, its weights as fp32 on the CPU. Raises UserError when a file is missing."""
        for name in ("config.json", "model.safetensors"):
            if not (folder / name).is_file():
                raise UserError(
                    f"`{folder / name}` does not exist.",
                    kind="missing_weights",
                    hint="Train the judge with `python -m experiments.tableau.train judge` and save it there.",
                )
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        judge = cls(fine=config["fine"], coarse=config["coarse"])
        weights = load_file(folder / "model.safetensors")
        judge.load_state_dict({name: value.float() for name, value in weights.items()})
        return judge.eval()


def picture_pixels(images: Sequence[Image.Image]) -> Float[Tensor, "image 3 height width"]:
    """Pictures of one size as pixels in [−1, 1]."""
    stack = np.stack([np.asarray(image.convert("RGB")) for image in images])
    return torch.from_numpy(stack).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def _alike(images: Sequence[Image.Image]) -> Iterator[list[int]]:
    """Indices of pictures of one size, no more than AT_ONCE pixels (or one picture) at a time."""
    by_size: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for index, image in enumerate(images):
        by_size[image.size].append(index)
    for (width, height), members in by_size.items():
        if min(width, height) < SMALLEST:
            raise UserError(
                f"A picture of `{width}×{height}` pixels is too small to judge.",
                kind="image",
                hint=f"Give crops of at least {SMALLEST}×{SMALLEST} pixels.",
            )
        number = max(1, AT_ONCE // (width * height))
        yield from (members[start : start + number] for start in range(0, len(members), number))


def _at(logits: Float[Tensor, "image word row column"], places: Tensor) -> Float[Tensor, "image peak word"]:
    """Probabilities of the words in the given cells, numbered row by row."""
    words = logits.shape[1]
    chosen = logits.flatten(2).gather(2, places[:, None].expand(-1, words, -1))
    return chosen.transpose(1, 2).softmax(-1)


def _matches(reading: Reading, concepts: Sequence[Concept]) -> Float[Tensor, "image peak concept"]:
    """Probability that there is a thing at the peak, and that it is what the concept says."""
    match = reading.thing[..., None] * _lies(reading, concepts)
    for name in ATTRIBUTES:
        match = match * (getattr(reading, name) @ _allowed(concepts, name).to(match))
    return match


def _lies(reading: Reading, concepts: Sequence[Concept]) -> Float[Tensor, "image peak concept"]:
    """1 where a peak lies in a quarter of the picture that the concept allows."""
    row, column = (reading.y >= SIDE / 2).long(), (reading.x >= SIDE / 2).long()
    allowed = torch.tensor([[float(place in one.place) for one in concepts] for place in PLACES])
    return allowed.to(reading.thing)[2 * row + column]


def _allowed(concepts: Sequence[Concept], attribute: str) -> Float[Tensor, "word concept"]:
    """1 where the concept allows the word; a concept about things says nothing of the background."""
    options = [getattr(concept, attribute) or frozenset() for concept in concepts]
    return torch.tensor(
        [[float(word in allowed) for allowed in options] for word in WORDS[attribute]]
    ).reshape(len(WORDS[attribute]), len(concepts))
