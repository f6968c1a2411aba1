"""What an endpoint's refusal means, and what the user can do about it.

Knows status codes and the words in which servers say that they can't call tools, stream, or hold so much. Never repeats
a key. Knows nothing about what was asked.
"""

from __future__ import annotations

from openai import APIError, APIStatusError

from store.errors import MaieuticError, UserError

TRY_AGAIN = (408, 409, 425, 429)
"""Status codes below 500 that another time may cure."""
SECRET = 8
"""Characters of the shortest key that is one: shorter ones (`none`, `EMPTY`) are written for servers that want none."""
WITH_TOOLS = (
    "servers that can: OpenAI; vLLM with `--enable-auto-tool-choice --tool-call-parser …`; Ollama with a model whose "
    "page says `tools`; llama.cpp with `--jinja`; SGLang with `--tool-call-parser …`; LM Studio; `transformers serve` "
    "with a model whose chat template has tools"
)
_TOOLS = (
    "does not support tools",
    "tool choice",
    "tool_choice",
    "tool-call",
    "tools param",
    "support tool",
    "tool use",
)
_STREAMS = (
    "stream_options",
    "stream options",
    "streaming is not",
    "stream is not",
    "does not support stream",
)
_MODEL = (
    "not found",
    "not_found",
    "not exist",
    "not available",
    "no such model",
    "no models loaded",
    "unknown model",
    "invalid model",
    "pinned to",
)
"""What servers say of a model that they do not have, in a message that speaks of models or names this one."""
_LENGTH = (
    "context length",
    "context_length",
    "maximum context",
    "context window",
    "context size",
    "too many tokens",
)


def without_tools(place: str, model: str) -> UserError:
    """The model, or its server, can't call tools."""
    return UserError(f"`{model}` at `{place}` does not call tools", kind="endpoint-tools", hint=WITH_TOOLS)


def too_long(error: APIError) -> bool:
    """Whether the conversation did not fit."""
    status = error.status_code if isinstance(error, APIStatusError) else 400
    return status in (400, 413, 422, 500) and _says(error, _LENGTH)


def without_streams(error: APIStatusError) -> bool:
    """Whether the server could answer, but not piece by piece."""
    return error.status_code in (400, 422, 501) and _says(error, _STREAMS)


def refused(place: str, model: str, error: APIStatusError, key: str) -> MaieuticError:
    """The refusal as the user's error, or as one of kind "endpoint" that passes by itself."""
    status, told = error.status_code, masked(error.message, key)[:300]
    if status in (400, 404, 422, 500, 501) and _says(error, _TOOLS):
        return without_tools(place, model)
    if status in TRY_AGAIN or status >= 500:
        return MaieuticError(
            f"`{place}` answered {status}, also after waiting: {told}",
            kind="endpoint",
            hint="its own log may say why (a model that it can't load, too little memory); nothing is lost: resume "
            "the run when it answers again",
        )
    if status in (401, 403):
        return UserError(
            f"`{place}` refused the key ({status})", kind="endpoint-key", hint="check OPENAI_API_KEY"
        )
    if status in (400, 404, 422) and _misses(error, model):
        return UserError(
            f"`{place}` has no model `{model}` ({status})",
            kind="endpoint-model",
            hint="have the server load it, or begin a new run with another name after `openai:`",
        )
    if status in (404, 405):
        return UserError(
            f"`{place}` takes no chat there ({status})",
            kind="endpoint-url",
            hint="check `--base-url`: most addresses end in `/v1`",
        )
    return UserError(
        f"`{place}` refused the request ({status}): {told}",
        kind="endpoint-request",
        hint="the server's words say why; it must take chats with tool calls",
    )


def masked(text: str, key: str) -> str:
    """The text without the key, should a server repeat it. Words that only stand in for a key are no secrets."""
    return text.replace(key, "…") if len(key) >= SECRET else text


def _misses(error: APIError, model: str) -> bool:
    """Whether the refusal is about the model: it could not be found."""
    told = str(error.message).lower()
    return ("model" in told or model.lower() in told) and _says(error, _MODEL)


def _says(error: APIError, words: tuple[str, ...]) -> bool:
    told = str(error.message).lower()
    return any(word in told for word in words)
