"""What an endpoint's refusal means, and what the user can do about it.

Knows status codes and the words in which servers say that they can't call tools, stream, or hold so much. Never repeats
a key. Knows nothing about what was asked.
"""

from __future__ import annotations

from openai import APIError, APIStatusError

from store.errors import MaieuticError, UserError

TRY_AGAIN = (408, 409, 425, 429)
"""Status codes below 500 that another time may cure."""
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
    status = error.status_code
    if status in (400, 404, 422, 500, 501) and _says(error, _TOOLS):
        return without_tools(place, model)
    if status in TRY_AGAIN or status >= 500:
        return MaieuticError(
            f"`{place}` answered {status}, also after waiting",
            kind="endpoint",
            hint="nothing is lost: resume the run when it answers again",
        )
    if status in (401, 403):
        return UserError(
            f"`{place}` refused the key ({status})", kind="endpoint-key", hint="check OPENAI_API_KEY"
        )
    if status == 404:
        return UserError(
            f"`{place}` has no model `{model}` (404)",
            kind="endpoint-model",
            hint="check the name after `openai:` and `--base-url`",
        )
    told = error.message.replace(key, "…") if key else error.message
    return UserError(
        f"`{place}` refused the request ({status}): {told[:300]}",
        kind="endpoint-request",
        hint="the model must support tool calls",
    )


def _says(error: APIError, words: tuple[str, ...]) -> bool:
    told = str(error.message).lower()
    return any(word in told for word in words)
