"""What an endpoint's refusal means, and what the user can do about it.

Knows the words in which servers say that they can't call tools, stream, or hold so much; what any endpoint may refuse
is told by tools/access.py. Knows nothing about what was asked.
"""

from __future__ import annotations

from openai import APIError, APIStatusError

from store.errors import MaieuticError, UserError
from tools.access import Access

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


def refused(access: Access, model: str, error: APIStatusError) -> MaieuticError:
    """The refusal as the user's error, or as one of kind "endpoint" that passes by itself."""
    status, place = error.status_code, access.place
    if status in (400, 404, 422, 500, 501) and _says(error, _TOOLS):
        return without_tools(place, model)
    if (anyhow := access.refused_anyhow(error)) is not None:
        return anyhow
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
        f"`{place}` refused the request ({status}): {access.said(error)}",
        kind="endpoint-request",
        hint="the server's words say why; it must take chats with tool calls",
    )


def _misses(error: APIError, model: str) -> bool:
    """Whether the refusal is about the model: it could not be found."""
    told = str(error.message).lower()
    return ("model" in told or model.lower() in told) and _says(error, _MODEL)


def _says(error: APIError, words: tuple[str, ...]) -> bool:
    told = str(error.message).lower()
    return any(word in told for word in words)
