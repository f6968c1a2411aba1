"""One request to an OpenAI-compatible images endpoint: a page and words there, an answer back, and what it cost.

Knows parameters, refusals and prices; knows nothing about what a page shows or what becomes of the answer. Every
request is paid from the budget at hand (tools/budget.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any, Protocol

from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError, OpenAIError
from PIL import Image, ImageOps

from store.errors import UserError
from store.views import Payment
from tools.access import Access
from tools.budget import PAYING
from tools.editing.backend import Failed
from tools.editing.faults import told
from tools.pictures import png

FILTERED = ("content_policy", "content policy", "moderation", "safety system")
"""How servers word it that a filter refused."""
UNASKED = ("gpt-image", "chatgpt-image")
"""Models that always send the picture itself, and refuse to be asked for it."""
FORMAT = "response_format"


class Priced(Protocol):
    """Something that knows what tokens cost, and pictures."""

    def money(self, names: tuple[str, ...], prompt: int, completion: int, /) -> float | None:
        """What so many tokens cost; None where nobody says."""
        ...

    def of_picture(self, *names: str) -> float | None:
        """What one picture costs, all tokens included; None where nobody says, or tokens are charged."""
        ...


@dataclass(frozen=True, eq=False)
class Ask:
    """`words` about a page (None: a picture of that `size` is to be drawn); `editable` is white where it may change."""

    words: str
    size: tuple[int, int]
    page: Image.Image | None = None
    editable: Image.Image | None = None


@dataclass(frozen=True, eq=False)
class Answered:
    """The client's answer as it came, and what it cost (None: nobody knows)."""

    answer: Any
    money: float | None


@dataclass
class ImagesApi:
    """`model` behind `access`. `retries` and `timeout` (seconds) bound each request."""

    model: str
    access: Access
    prices: Priced | None = None
    retries: int = 4
    timeout: float = 120.0
    quality: str | None = None

    def __post_init__(self) -> None:
        self._asks_for_text = not self.model.startswith(UNASKED)

    async def ask(self, ask: Ask) -> Answered | Failed:
        """The answer, or why there is none for this one.

        Raises UserError when there can be none at all (a wrong key, an unknown model), BudgetReached when it can't be
        paid.
        """
        payer = PAYING.get()
        if payer is not None:
            await payer.admit()
        tokens, requests = 0, 0
        money: float | None = 0.0
        try:
            answer = await self._asked(ask)
            if isinstance(answer, Failed):
                return answer
            requests = 1
            tokens, money = self._cost(answer)
        finally:
            if payer is not None:
                payer.pay(Payment(tokens=tokens, money=money, requests=requests))
        return Answered(answer, money)

    async def _asked(self, ask: Ask) -> Any:
        place = self.access.place
        try:
            async with self.access.client(self.retries, self.timeout) as client:
                given = self._arguments(ask)
                return await (client.images.edit if ask.page else client.images.generate)(**given)
        except APIStatusError as error:
            if self._asks_for_text and error.status_code in (400, 422) and FORMAT in error.message:
                self._asks_for_text = False
                return await self._asked(ask)
            return self._refused(error)
        except APITimeoutError:
            return Failed("endpoint", f"`{place}` did not answer within {self.timeout:g} seconds")
        except APIConnectionError as error:
            return Failed("endpoint", f"`{place}` did not answer ({type(error).__name__})")
        except (APIError, OpenAIError, ValueError) as error:
            return Failed("endpoint", f"`{place}` sent something unreadable ({type(error).__name__})")

    def _arguments(self, ask: Ask) -> dict[str, Any]:
        given: dict[str, Any] = {
            "model": self.model,
            "prompt": ask.words,
            "n": 1,
            "size": told(ask.size).replace("×", "x"),
        }
        if self._asks_for_text:
            given[FORMAT] = "b64_json"
        if self.quality:
            given["quality"] = self.quality
        if ask.page is not None:
            given["image"] = ("picture.png", png(ask.page), "image/png")
        if ask.page is not None and ask.editable is not None:
            given["mask"] = ("mask.png", _clear_where(ask.editable, ask.page), "image/png")
        return given

    def _refused(self, error: APIStatusError) -> Failed:
        """The failure of one request. Raises UserError for a refusal that all others would get as well."""
        status, place = error.status_code, self.access.place
        if any(words in error.message.lower() for words in FILTERED):
            return Failed("safety", f"`{place}` refused to show this: {self.access.said(error)}")
        if status in (404, 405, 501):
            raise UserError(
                f"`{place}` has no model `{self.model}` that makes pictures ({status})",
                kind="endpoint-model",
                hint="name an endpoint that serves `/images/edits`, and a model that it knows",
            )
        anyhow = self.access.refused_anyhow(error)
        if isinstance(anyhow, UserError):
            raise anyhow
        if anyhow is not None:
            return Failed("endpoint", anyhow.message)
        return Failed("endpoint", f"`{place}` refused the request ({status}): {self.access.said(error)}")

    def _cost(self, answer: Any) -> tuple[int, float | None]:
        """Tokens and money, as far as the endpoint tells and prices are known."""
        usage = getattr(answer, "usage", None)
        whole = None if self.prices is None else self.prices.of_picture(self.model)
        if usage is None and whole is not None:
            return 0, whole
        if usage is None:
            free = self.prices is not None and self.prices.money((self.model,), 10**6, 10**6) == 0
            return 0, 0.0 if free else None
        counted = (getattr(usage, name, None) for name in ("input_tokens", "output_tokens"))
        prompt, completion = (each if isinstance(each, int) else 0 for each in counted)
        money = None if self.prices is None else self.prices.money((self.model,), prompt, completion)
        return prompt + completion, money if whole is None else whole


def _clear_where(editable: Image.Image, page: Image.Image) -> bytes:
    """The page as PNG, transparent where it may be changed: that is how these endpoints are told."""
    shown = page.convert("RGB")
    shown.putalpha(ImageOps.invert(editable))
    buffer = BytesIO()
    shown.save(buffer, "PNG")
    return buffer.getvalue()
