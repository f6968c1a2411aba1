"""A picture model behind an OpenAI-compatible endpoint: `images.edit` and `images.generate`.

Knows how pictures become pages of the shapes that such endpoints take, and answers become pictures again; requests and
their refusals are images_api.py's, what an answer may hold is answers.py's. The fingerprint names endpoint and model:
whether the model behind the name is still the same, nobody outside can tell. There is no seed: a seed only tells
attempts apart, so keep what was made (kept.py).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from PIL import Image

from tools.access import OPENAI, Access
from tools.budget import BudgetReached
from tools.editing.answers import Answers
from tools.editing.backend import (
    NO_SEEDS,
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
from tools.editing.faults import blank, brought_back, taken_in, told, unchanged
from tools.editing.fit import Frame, mask, put_back, scaled
from tools.editing.images_api import Ask, ImagesApi, Priced

AT_ONCE = 4
"""Requests under way at a time."""
SIDE = 1024
"""Pixels of a page's side, unless the settings say otherwise."""
PAGES = {SIDE: ((SIDE, SIDE), (1536, SIDE), (SIDE, 1536))}
"""Pages that are sent and asked for, by `size`; squares for every other size."""


@dataclass(frozen=True, eq=False)
class _Item:
    """A request, where the picture lies on its page, and what the answer is put back into (None: it is drawn)."""

    ask: Ask
    frame: Frame
    source: Image.Image | None = None
    region: Region | None = None


class EndpointModel:
    """`model` at `base_url` (else OPENAI_BASE_URL, else OpenAI's own). Fulfils `tools.editing.backend.PictureModel`.

    `hosts` are servers besides the endpoint's own from which pictures may be fetched over https, `prices` knows what
    tokens cost, `retries` and `timeout` (seconds) bound each request. Of the settings it takes `size`, `quality` and
    `canvas`: a picture of another shape than a page lies on such ground.
    """

    def __init__(
        self,
        model: str,
        base_url: str = "",
        *,
        settings: Settings | None = None,
        prices: Priced | None = None,
        hosts: Sequence[str] = (),
        retries: int = 4,
        timeout: float = 120.0,
        progress: Progress = silent,
    ) -> None:
        """Raises UserError when there is no key where one is needed."""
        given, access = settings or Settings(), Access(base_url)
        self.name = f"openai:{model}"
        self.words: Words = "instruction"
        self.settings = Settings(
            size=given.size or SIDE, quality=given.quality, canvas=given.canvas, seeds=NO_SEEDS
        )
        self.progress = progress
        self._api = ImagesApi(model, access, prices, retries, timeout, given.quality)
        self._answers = Answers(access.base_url or OPENAI, tuple(hosts), timeout)

    @property
    def regions(self) -> Literal["never", "may", "must"]:
        return "may"

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the endpoint's address and the model's name."""
        return hashlib.sha256(f"{self._api.access.place}|{self._api.model}".encode()).hexdigest()

    def edit(
        self,
        pictures: Sequence[Image.Image],
        words: Sequence[str],
        seeds: Sequence[int],
        /,
        regions: Sequence[Region | None] | None = None,
    ) -> list[Outcome]:
        """Each picture after its words.

        Raises ValueError when the sequences differ in length, UserError when the endpoint refuses the key or the model,
        BudgetReached when not one request can be paid.
        """
        marked = [None] * len(pictures) if regions is None else regions
        same_length(pictures, words, seeds, marked)
        items = [self._item(*each) for each in zip(pictures, words, marked, strict=True)]
        return self._outcomes(items, "editing pictures")

    def generate(self, prompts: Sequence[str], seeds: Sequence[int], /) -> list[Outcome]:
        """A square picture of what each prompt describes. Raises as `edit` does."""
        same_length(prompts, seeds)
        side = self.settings.size or SIDE
        frame = Frame((side, side), (0, 0, side, side))
        items = [self._wordless(prompt) or _Item(Ask(prompt, frame.page), frame) for prompt in prompts]
        return self._outcomes(items, "drawing pictures")

    def _item(self, picture: Image.Image, words: str, region: Region | None) -> _Item | Failed:
        source = taken_in(picture, region)
        if isinstance(source, Failed):
            return source
        side = self.settings.size or SIDE
        frame = Frame.around(source.size, PAGES.get(side, ((side, side),)))
        page = frame.laid(scaled(source, frame.inner), self.settings.canvas)
        where = None if region is None else frame.laid(mask(region, frame.inner), 0)
        return self._wordless(words) or _Item(Ask(words, frame.page, page, where), frame, source, region)

    def _wordless(self, words: str) -> Failed | None:
        return None if words.strip() else Failed("input", f"`{self.name}` was given no words")

    def _outcomes(self, prepared: Sequence[_Item | Failed], what: str) -> list[Outcome]:
        """Every item's outcome in its place; some requests at a time, one that fails does not spoil the others."""
        asked = sum(isinstance(each, _Item) for each in prepared)
        done = 0

        async def one(each: _Item | Failed, gate: asyncio.Semaphore) -> Outcome:
            nonlocal done
            if isinstance(each, Failed):
                return each
            async with gate:
                outcome = await self._outcome(each)
            done += 1
            self.progress(what, done, asked)
            return outcome

        async def every() -> list[Outcome | BaseException]:
            gate = asyncio.Semaphore(AT_ONCE)
            return await asyncio.gather(*(one(each, gate) for each in prepared), return_exceptions=True)

        return _paid(asyncio.run(every()))

    async def _outcome(self, item: _Item) -> Outcome:
        answered = await self._api.ask(item.ask)
        if isinstance(answered, Failed):
            return answered
        picture = await asyncio.to_thread(self._answers.picture, answered.answer)
        if isinstance(picture, Failed):
            return picture
        page = brought_back(picture, item.frame.page)
        return page if isinstance(page, Failed) else _read(item, page, answered.money)


def _read(item: _Item, page: Made, money: float | None) -> Outcome:
    """What the answered page holds, as the given picture's successor, or what is wrong with it."""
    image, notes = item.frame.cut(page.image), page.notes
    fault = blank(image)
    if fault is None and item.ask.page is not None:
        fault = unchanged(image, item.frame.cut(item.ask.page))
    if fault is not None:
        return fault
    if not item.frame.fills:
        notes += (f"was framed on a page of {told(item.frame.page)} pixels and cut out of it again",)
    made = Made(image, notes, money)
    return made if item.source is None else put_back(made, item.source, item.region)


def _paid(found: Sequence[Outcome | BaseException]) -> list[Outcome]:
    """The outcomes; what could no longer be paid is a failure that may pass, as long as something else came back.

    Raises what went wrong for all."""
    some = any(isinstance(each, Made) for each in found)
    outcomes: list[Outcome] = []
    for each in found:
        if isinstance(each, BudgetReached) and some:
            outcomes.append(Failed("endpoint", f"was not asked for: {each.message}"))
        elif isinstance(each, BaseException):
            raise each
        else:
            outcomes.append(each)
    return outcomes
