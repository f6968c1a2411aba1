"""The way to an OpenAI-compatible endpoint: its address, the key, and what its refusals mean.

Knows keys, addresses and status codes. The key is read from OPENAI_API_KEY, sent, and never written anywhere nor
repeated in a message. Knows nothing about what is asked there (a thread: agent/endpoint.py; a picture:
tools/editing/endpoint.py).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from openai import APIStatusError, AsyncOpenAI, DefaultAsyncHttpxClient

from store.errors import MaieuticError, UserError
from store.plain import one_line

OWN_SERVER = "http://localhost:11434/v1"
OPENAI = "https://api.openai.com/v1"
TRY_AGAIN = (408, 409, 425, 429)
"""Status codes below 500 that another time may cure."""
SECRET = 8
"""Characters of the shortest key that is one: shorter ones (`none`, `EMPTY`) are written for servers that want none."""


@dataclass(frozen=True)
class Access:
    """The endpoint at `base_url` (else OPENAI_BASE_URL, else OpenAI's own), with the key for it.

    Raises UserError when there is no key where one is needed, and for what is no address.
    """

    base_url: str = ""
    key: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", self.key or os.environ.get("OPENAI_API_KEY", ""))
        object.__setattr__(self, "base_url", self.base_url or os.environ.get("OPENAI_BASE_URL") or "")
        if not self.key and not self.base_url:
            raise UserError(
                "`openai` needs a key in `OPENAI_API_KEY`",
                kind="endpoint-key",
                hint=f"set it, or name an endpoint of your own: `--base-url {OWN_SERVER}`",
            )
        if self.base_url and not self.base_url.startswith(("http://", "https://")):
            raise UserError(
                f"`{self.base_url}` is not the address of an endpoint",
                kind="endpoint-url",
                hint=f"such as `{OWN_SERVER}`",
            )

    @property
    def place(self) -> str:
        """The endpoint without anything that may be secret."""
        parts = urlsplit(self.base_url or OPENAI)
        return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"

    def client(self, retries: int, timeout: float) -> AsyncOpenAI:
        """A client for one question, so that whoever asks outlives event loops; `timeout` in seconds.

        It goes nowhere but to this address: what is asked, pictures among it, is not carried on to another host.
        """
        return AsyncOpenAI(
            api_key=self.key or "none",
            base_url=self.base_url or None,
            max_retries=retries,
            timeout=timeout,
            http_client=DefaultAsyncHttpxClient(follow_redirects=False),
        )

    def unreachable(self, what: str) -> MaieuticError:
        """The endpoint did something (`broke off`) that may pass by itself."""
        return MaieuticError(
            f"`{self.place}` {what}",
            kind="endpoint",
            hint="check that the server runs, and that `--base-url` is its address; nothing is lost: resume the run "
            "when it answers again",
        )

    def refused_anyhow(self, error: APIStatusError) -> MaieuticError | None:
        """The refusal as an error where it has nothing to do with what was asked: overload, a broken server, the key.

        What may pass by itself is of kind "endpoint"; what concerns the key is the user's error.
        """
        status = error.status_code
        if status in TRY_AGAIN or status >= 500:
            return MaieuticError(
                f"`{self.place}` answered {status}, also after waiting{_later(error)}: {self.said(error)}",
                kind="endpoint",
                hint="its own log may say why (a model that it can't load, too little memory); nothing is lost: "
                "resume the run when it answers again",
            )
        if 300 <= status < 400:
            there = (
                one_line(self.masked(error.response.headers.get("location", ""))[:200]) or "another address"
            )
            return UserError(
                f"`{self.place}` sends us on to `{there}` ({status})",
                kind="endpoint-url",
                hint="nothing was sent there: give that address with `--base-url` if it is the one that you mean",
            )
        if status in (401, 403):
            return UserError(
                f"`{self.place}` refused the key ({status})", kind="endpoint-key", hint="check OPENAI_API_KEY"
            )
        return None

    def said(self, error: APIStatusError) -> str:
        """The server's own words, without the key."""
        return one_line(self.masked(error.message)[:300])

    def masked(self, text: str) -> str:
        """The text without the key, should a server repeat it. Words that only stand in for a key are no secrets."""
        return text.replace(self.key, "…") if len(self.key) >= SECRET else text


def _later(error: APIStatusError) -> str:
    """When the server wants to be asked again, in its own words."""
    told = one_line(error.response.headers.get("retry-after", ""))[:40]
    return f" (it wants to be asked again after `{told}`)" if told else ""
