"""Diffusion pipelines as picture models: any that diffusers loads from a folder or hub name and that can edit.

Knows how pictures of any size and their words become requests, and answers become pictures again. What a pipeline can
do is read off its signature (signature.py), how it is called lies in calling.py, how it is loaded in loading.py. Knows
nothing about what an edit means.

Blocks are filled up to one width: what becomes of a picture hangs neither on its company nor on its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from PIL import Image

from tools.editing.backend import (
    Failed,
    Made,
    Outcome,
    Progress,
    Region,
    Settings,
    Words,
    same_length,
    silent,
)
from tools.editing.blocks import Blocks
from tools.editing.calling import Request, call
from tools.editing.faults import blank, brought_back, taken_in, told, unchanged
from tools.editing.fit import mask, put_back, scaled, working_size
from tools.editing.parts import Pipelines, fingerprint, multiple, native_size, parameters, unread
from tools.editing.signature import Signature

BLOCK = 8
"""Pictures that go through a small model together."""
SMALL = 100_000_000
"""Weights up to which a model counts as small; one picture fills the hands of a larger one."""
PIXELS = BLOCK * 512 * 512
"""Working pixels of a block, at most: larger pictures go through in narrower blocks."""
CANVAS = 512
"""Side of what is drawn by a model that does not say at which size it works."""


@dataclass(frozen=True, eq=False)
class _Item:
    """A request, with what its answer is put back into (nothing, when a picture is drawn)."""

    request: Request
    source: Image.Image | None = None
    region: Region | None = None


class DiffusionModel:
    """A diffusers pipeline that edits pictures. Fulfils `tools.editing.backend.PictureModel`.

    A pipeline that draws from words alone, or repaints, also does what its parts can do in another of diffusers'
    pipelines: repaint a picture, fill a region. One that can only edit or fill draws on an empty canvas.
    """

    def __init__(
        self,
        pipeline: Any,
        *,
        name: str = "",
        settings: Settings | None = None,
        progress: Progress = silent,
    ) -> None:
        """Raises UserError that says what the pipeline does when it can't edit, and for settings it does not take."""
        self.pipelines = Pipelines.of(pipeline)
        self.pipeline = pipeline
        self.name = name or type(pipeline).__name__
        self.progress = progress
        signature = Signature.read(type(self.pipelines.edit or self.pipelines.fill))
        given = settings or Settings()
        block = given.block or (BLOCK if parameters(pipeline) <= SMALL else 1)
        self.words: Words = "instruction" if signature.job() == "edit" else "description"
        self.settings = signature.settled(given).model_copy(
            update={
                "size": given.size or native_size(pipeline),
                "block": block if signature.by_lists else 1,
                "dtype": str(pipeline.dtype).removeprefix("torch."),
            }
        )
        self._blocks = Blocks(self._run, _alike, self._width, _hopeless)
        for each in (self.pipelines.draw, self.pipelines.edit, self.pipelines.fill):
            if each is not None:
                each.set_progress_bar_config(disable=True)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the pipeline's class and all its parts. Reads every weight once."""
        return fingerprint(self.pipeline)

    @property
    def regions(self) -> Literal["never", "may", "must"]:
        """Whether the model can be told where to change a picture."""
        if self.pipelines.edit is None:
            return "must"
        return "never" if self.pipelines.fill is None else "may"

    def edit(
        self,
        pictures: Sequence[Image.Image],
        words: Sequence[str],
        seeds: Sequence[int],
        /,
        regions: Sequence[Region | None] | None = None,
    ) -> list[Outcome]:
        """Each picture after its words. Raises ValueError when the sequences differ in length."""
        marked = [None] * len(pictures) if regions is None else regions
        same_length(pictures, words, seeds, marked)
        items = [self._item(*each) for each in zip(pictures, words, seeds, marked, strict=True)]
        return self._outcomes(items, "editing pictures")

    def generate(self, prompts: Sequence[str], seeds: Sequence[int], /) -> list[Outcome]:
        """A picture of what each prompt describes, a square of the model's working size."""
        same_length(prompts, seeds)
        step, side = multiple(self.pipeline), self.settings.size or CANVAS
        side = max(step, side // step * step)
        canvas = Image.new("RGB", (side, side), self.settings.canvas)
        items = [
            self._unread(prompt) or self._drawing(prompt, seed, canvas)
            for prompt, seed in zip(prompts, seeds, strict=True)
        ]
        return self._outcomes(items, "drawing pictures")

    def _item(self, picture: Image.Image, words: str, seed: int, region: Region | None) -> _Item | Failed:
        if region is None and self.regions == "must":
            return Failed("input", f"`{self.name}` fills a marked region: say which pixels may change")
        if region is not None and self.regions == "never":
            return Failed("input", f"`{self.name}` can't be told where to change a picture: name no region")
        source = taken_in(picture, region)
        if isinstance(source, Failed):
            return source
        size = working_size(source.size, self.settings.size, multiple(self.pipeline))
        if isinstance(size, Failed):
            return size
        where = None if region is None else mask(region, size)
        request = Request(words, seed, scaled(source, size), where)
        return self._unread(words) or _Item(request, source, region)

    def _drawing(self, prompt: str, seed: int, canvas: Image.Image) -> _Item | Failed:
        told = self.settings.drawing.replace("{}", prompt) if self.words == "instruction" else prompt
        return self._unread(told) or _Item(Request(told, seed, canvas, anew=True))

    def _unread(self, words: str) -> Failed | None:
        why = unread(self.pipeline, words)
        return Failed("input", f"`{self.name}` {why}") if why else None

    def _outcomes(self, prepared: Sequence[_Item | Failed], what: str) -> list[Outcome]:
        """Every item's outcome in its place."""
        outcomes: dict[int, Outcome] = {
            place: each for place, each in enumerate(prepared) if isinstance(each, Failed)
        }
        places = [place for place, each in enumerate(prepared) if isinstance(each, _Item)]
        items = [each for each in prepared if isinstance(each, _Item)]
        self._count = _Count(self.progress, what, len(items) * (self.settings.steps or 1))
        for place, outcome in self._blocks.results(items):
            outcomes[places[place]] = outcome
        return [outcomes[place] for place in range(len(prepared))]

    def _run(self, block: Sequence[_Item], width: int) -> list[Outcome]:
        """The outcomes of a block that is filled up to `width` with copies of its first item."""
        requests = [item.request for item in [*block, *[block[0]] * (width - len(block))]]
        answers = call(self._pipeline(block[0]), requests, self.settings, self._count.within(len(block)))
        self._count.done(len(block), self.settings.steps or 1)
        outcomes = [_outcome(item, answer) for item, answer in zip(block, answers, strict=False)]
        wide = self._width(block[0])
        return outcomes if width == wide else [_narrowed(outcome, width, wide) for outcome in outcomes]

    def _pipeline(self, item: _Item) -> Any:
        if item.source is None and self.pipelines.draw is not None:
            return self.pipelines.draw
        return self.pipelines.edit if item.region is None and self.pipelines.edit else self.pipelines.fill

    def _width(self, item: _Item) -> int:
        width, height = item.request.picture.size
        return max(1, min(self.settings.block or 1, PIXELS // (width * height)))


class _Count:
    """Counts the denoising steps of pictures, and tells of them."""

    def __init__(self, tell: Progress, what: str, of: int) -> None:
        self._tell, self._what, self._of, self._before = tell, what, of, 0

    def within(self, pictures: int) -> Callable[[int], None]:
        return lambda step: self._tell(self._what, min(self._of, self._before + step * pictures), self._of)

    def done(self, pictures: int, steps: int) -> None:
        self._before = min(self._of, self._before + pictures * steps)
        self._tell(self._what, self._before, self._of)


def _alike(item: _Item) -> tuple[tuple[int, int], bool]:
    """What items of one block share: the size, and whether a region is filled."""
    return item.request.picture.size, item.region is not None


def _hopeless(item: _Item) -> Outcome:
    size = told(item.request.picture.size)
    return Failed("memory", f"the memory does not hold even one picture at {size} pixels: lower `size`")


def _outcome(item: _Item, answer: Image.Image | Failed) -> Outcome:
    """The answer as the given picture's successor, or what is wrong with it."""
    if isinstance(answer, Failed):
        return answer
    made = brought_back(answer, item.request.picture.size)
    if isinstance(made, Failed):
        return made
    fault = blank(made.image)
    if fault or item.source is None:
        return fault or made
    return unchanged(made.image, item.request.picture) or put_back(made, item.source, item.region)


def _narrowed(outcome: Outcome, width: int, wide: int) -> Outcome:
    if isinstance(outcome, Failed):
        return outcome
    note = f"went through {width} at a time instead of {wide}, as the memory held no more"
    return Made(outcome.image, (*outcome.notes, note), outcome.money)
