"""A describer behind an OpenAI-compatible endpoint: a language model that sees pictures and one question.

Fulfils `tools.stimuli.Describer`. It is told no component, no activation, no hypothesis, and not which pile a picture
is from. What it said of a picture is kept on disk, so that a resumed or a replayed run neither pays nor asks again.
Where several calls are at work the others go on while it is asked, and a picture that two of them want is asked for
once.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any

from PIL import Image

import prompts
from agent.endpoint import Endpoint
from agent.sights import data_url
from store.errors import MaieuticError
from tools.rounds import elsewhere

AT_ONCE = 8
"""Pictures of one request."""
BESIDE = 4
"""Requests under way at a time."""
LONGEST = 4
"""Words of a phrase, at most."""
Phrases = tuple[str, ...]


class OpenAIDescriber:
    """`model` at the endpoint that `open_` opens when it is first needed; answers are kept in `folder`.

    `words` are those it may use, as simple phrases; () leaves them open.
    """

    def __init__(self, model: str, open_: Callable[[], Endpoint], words: Sequence[str], folder: Path) -> None:
        self.name = f"openai:{model}"
        self._open = open_
        self._words = tuple(words)
        self._known = sorted({word for phrase in words for word in phrase.lower().split()})
        asked = prompts.load("describer").render(pictures=AT_ONCE, words=self._known)
        self._folder = folder / hashlib.sha256(f"{model}\n{asked}".encode()).hexdigest()[:16]
        self._under_way: dict[Path, Event] = {}

    def describe(self, images: Sequence[Image.Image], /) -> list[Phrases]:
        """The phrases of each picture, most specific last.

        Raises MaieuticError of kind "endpoint" when it can't be asked, or answers with something else; what it said
        until then is kept.
        """
        places = [self._folder / f"{_name(image)}.json" for image in images]
        pictures = dict(zip(places, images, strict=True))
        while missing := {place: image for place, image in pictures.items() if not place.is_file()}:
            mine = {place: image for place, image in missing.items() if place not in self._under_way}
            if mine:
                self._ask_for(mine)
            else:
                elsewhere(self._under_way[next(iter(missing))].wait)
        return [tuple(json.loads(place.read_text(encoding="utf-8"))) for place in places]

    def placed(self, images: Sequence[Image.Image], /) -> list[Phrases]:
        """Nothing: it is asked what pictures show, not where."""
        return [() for _ in images]

    def vocabulary(self) -> Phrases:
        return self._words

    def _ask_for(self, pictures: Mapping[Path, Image.Image]) -> None:
        """Asks while other calls go on; who wants the same pictures meanwhile waits for these answers."""
        come = Event()
        self._under_way |= dict.fromkeys(pictures, come)
        try:
            elsewhere(lambda: asyncio.run(self._ask(list(pictures.items()))))
        finally:
            for place in pictures:
                del self._under_way[place]
            come.set()

    async def _ask(self, missing: list[tuple[Path, Image.Image]]) -> None:
        """Everything that is new, some requests at a time; one that fails does not spoil the others."""
        endpoint, gate = self._open(), asyncio.Semaphore(BESIDE)

        async def one(batch: Sequence[tuple[Path, Image.Image]]) -> None:
            async with gate:
                found = await self._told(endpoint, [image for _, image in batch])
            for (place, _), phrases in zip(batch, found, strict=True):
                _keep(place, phrases)

        batches = [one(missing[start : start + AT_ONCE]) for start in range(0, len(missing), AT_ONCE)]
        for ended in await asyncio.gather(*batches, return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended

    async def _told(self, endpoint: Endpoint, images: Sequence[Image.Image]) -> list[Phrases]:
        """What is said of these pictures; asked one by one where an answer about several can't be read."""
        content: list[dict[str, Any]] = [
            {
                "type": "text",
                "text": prompts.load("describer").render(pictures=len(images), words=self._known),
            },
            *(
                {"type": "image_url", "image_url": {"url": data_url(image), "detail": "low"}}
                for image in images
            ),
        ]
        answer = await endpoint.ask([{"role": "user", "content": content}], [])
        found = read(answer.content, len(images))
        if found is not None:
            return [self._plain(phrases) for phrases in found]
        if len(images) > 1:
            return [phrases for image in images for phrases in await self._told(endpoint, [image])]
        raise MaieuticError(
            f"`{endpoint.model}` does not put pictures into words: it answered `{answer.content[:60]}`",
            kind="endpoint-describer",
            hint="name a model that sees pictures with `--describer`, or leave it out",
        )

    def _plain(self, phrases: Sequence[str]) -> Phrases:
        """Each phrase once, in small letters, without articles; with closed words only those made of them."""
        plain = [re.sub(r"^(?:an?|the) ", "", " ".join(phrase.lower().split())) for phrase in phrases]
        return tuple(
            phrase
            for phrase in dict.fromkeys(plain)
            if re.fullmatch(r"[a-z][a-z -]*", phrase)
            and len(words := phrase.split()) <= LONGEST
            and (not self._known or set(words) <= set(self._known))
        )


def read(told: str, pictures: int) -> list[list[str]] | None:
    """The lists in an answer, be there words around them; None where there is not one for each picture."""
    start, end = told.find("["), told.rfind("]")
    try:
        found = json.loads(told[start : end + 1])
    except ValueError:
        return None
    if pictures == 1 and isinstance(found, list) and all(isinstance(one, str) for one in found):
        found = [found]
    if not isinstance(found, list) or len(found) != pictures:
        return None
    if not all(isinstance(one, list) and all(isinstance(word, str) for word in one) for one in found):
        return None
    return found


def _name(image: Image.Image) -> str:
    return hashlib.sha256(repr(image.size).encode() + image.convert("RGB").tobytes()).hexdigest()


def _keep(place: Path, phrases: Phrases) -> None:
    """Whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(phrases, ensure_ascii=False), encoding="utf-8")
    os.replace(part, place)
