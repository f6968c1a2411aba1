"""The planner `openai:MODEL`: a language model behind any OpenAI-compatible endpoint.

Knows how a thread is put to an endpoint (endpoint.py) and how its answer becomes a decision. Keeps nothing between
turns but whether its server has called a tool yet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from agent.decision import Abstention, Call, Calls, Conclusion, Decision, Program, Reply
from agent.endpoint import Endpoint, TooLong, weight
from agent.planner import Choice
from agent.prices import Prices
from agent.programs.telling import PROGRAM
from agent.refusals import without_tools
from agent.sights import Fetch, seen
from agent.steps import ALONE, FINISHING, STEPS, build
from agent.streaming import Answer
from agent.thread import ThreadView
from agent.transcript import messages
from store.errors import PlannerError, UserError
from store.records import Hypothesis, Verdict
from tools.budget import RETRIES, TIMEOUT
from tools.tool import Tool

THOUGHT = 2000
"""Characters of a model's own words that are kept."""
CONTEXT = 100_000
"""Tokens that a thread may fill unless somebody says otherwise, or the endpoint does."""
ANSWER = 4_000
"""Tokens that are left for the answer."""
SMALLER = 3
"""Times that a thread which is too long is halved."""
ARGUMENTS = 20_000
"""Characters of one call's arguments, at most: no tool wants a tenth, and they would be said again each turn."""
AT_ONCE = 32
"""Calls of one turn that are read."""
NAME = 120
"""Characters of a tool's name that are kept."""
SILENT = 3
"""Turns without any call, at the beginning, after which the server is taken to be one that can't make any."""
Tell = Callable[[str, str], None]
"""Is told a component, and what the model has said of it so far this turn."""


class OpenAIPlanner:
    """Asks `model` at `base_url` (else OPENAI_BASE_URL, else OpenAI's own)."""

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        *,
        retries: int = RETRIES,
        timeout: float = TIMEOUT,
        temperature: float | None = None,
        prices: Prices | None = None,
        context: int = CONTEXT,
        fetch: Fetch | None = None,
        tell: Tell = lambda component, said: None,
        programs: bool = True,
    ) -> None:
        """`retries` and `timeout` (seconds) bound each request, `context` (tokens, about) what is sent in one.

        `fetch` gives the bytes of an artifact: without it the model is shown no pictures. `programs` says whether it
        may write programs.
        """
        self.model = model
        self.context = context
        self.endpoint = Endpoint(model, base_url or "", retries, timeout, temperature, prices or Prices())
        self._fetch = fetch
        self._tell = tell
        self._programs = programs
        self._calls = False

    @property
    def name(self) -> str:
        return f"openai:{self.model}"

    async def decide(self, thread: ThreadView, tools: Sequence[Tool], /) -> Choice:
        """Raises MaieuticError of kind "endpoint" when there is no answer after the retries, UserError when there can
        be none (a wrong key, an unknown model, a server that can't call tools), BudgetReached when it can't be paid."""
        offered = offers(thread, tools, self._programs)
        said, answer = await self._asked(thread, tools, offered)
        called = [readable(call.name, call.arguments) for call in answer.calls[:AT_ONCE]]
        self._calls = self._calls or bool(called) or bool(answer.refusal)
        if not self._calls and _silent(thread):
            raise without_tools(self.endpoint.place, self.model)
        return Choice(
            decision=interpret(thread, _thought(answer), called),
            prompt=sent(self.model, said, offered),
            usage=answer.usage,
        )

    async def _asked(
        self, thread: ThreadView, tools: Sequence[Tool], offered: list[dict[str, Any]]
    ) -> tuple[list[dict[str, Any]], Answer]:
        """What was said, with pictures by their hashes, and the answer; said in fewer words where it does not fit."""
        room = self.context
        for _ in range(SMALLER + 1):
            said = messages(thread, tools, room - weight(offered) - min(ANSWER, room // 4))
            try:
                return said, await self.endpoint.ask(
                    seen(said, self._fetch),
                    offered,
                    lambda words: self._tell(str(thread.subject), words),
                )
            except TooLong:
                room = min(room, weight(said) + weight(offered)) // 2
        raise UserError(
            f"`{self.model}` at `{self.endpoint.place}` can't hold a thread, however short",
            kind="endpoint-context",
            hint="give it more context (Ollama: `num_ctx`; vLLM: `--max-model-len`), or take another model",
        )


def _thought(answer: Answer) -> str:
    """What the model said, and how many of its calls were not read."""
    more = len(answer.calls) - AT_ONCE
    said = f"(the last {more} calls of this turn were not read: {AT_ONCE} at most) " if more > 0 else ""
    return whole_letters(said + answer.said)[:THOUGHT]


def _silent(thread: ThreadView) -> bool:
    """Whether nothing but words has come in this thread, this turn's among them."""
    turns = [turn.decision for turn in thread.decided]
    wordy = all(
        isinstance(turn, Calls) and not (turn.calls or turn.propose or turn.verdicts) for turn in turns
    )
    return wordy and len(turns) + 1 >= SILENT


def offers(thread: ThreadView, tools: Sequence[Tool], programs: bool = True) -> list[dict[str, Any]]:
    """What may be called now: tools and the loop's own steps; at the end only what finishes."""
    without = {"conclude" if thread.goal else "answer"} | (set() if programs else {PROGRAM})
    steps = [step for step in STEPS.values() if step.name not in without]
    if thread.finish_now:
        return [step.schema() for step in steps if step.name in ("give_verdict", *FINISHING)]
    return [*(tool.schema() for tool in tools), *(step.schema() for step in steps)]


def interpret(thread: ThreadView, thought: str, called: Sequence[Call]) -> Decision:
    """A decision from tool calls. What can't be understood stays among the calls: acting on it says why."""
    propose: list[Hypothesis] = []
    verdicts: list[Verdict] = []
    calls: list[Call] = []
    final: list[Conclusion | Reply | Abstention | Program] = []
    for call in called:
        try:
            part = build(thread, call) if call.tool in STEPS and not call.unreadable else None
        except PlannerError:
            part = None
        match part:
            case Hypothesis():
                propose.append(part)
            case Verdict():
                verdicts.append(part)
            case Conclusion() | Reply() | Abstention() | Program() if not final:
                final.append(part)
            case _:
                calls.append(call)
    if final and not calls and not (propose and not isinstance(final[0], Program)):
        said: dict[str, Any] = {"thought": thought}
        if not isinstance(final[0], Abstention):
            said["verdicts"] = tuple(verdicts)
        if isinstance(final[0], Program):
            said["propose"] = tuple(propose)
        return final[0].model_copy(update=said)
    early = [call for call in called if call.tool in ALONE and call not in calls]
    return Calls(thought=thought, propose=tuple(propose), verdicts=tuple(verdicts), calls=(*calls, *early))


def readable(name: str, arguments: str) -> Call:
    """A model's call; arguments that are no JSON object, no text, or too long are kept as they came, in part."""
    tool = whole_letters(name)[:NAME]
    try:
        parsed = json.loads(arguments or "{}") if len(arguments) <= ARGUMENTS else None
        json.dumps(parsed, ensure_ascii=False, allow_nan=False).encode()
        if isinstance(parsed, dict):
            return Call(tool=tool, arguments=parsed)
    except (ValueError, RecursionError):
        pass
    return Call(tool=tool, unreadable=whole_letters(arguments[:ARGUMENTS])[:500])


def whole_letters(text: str) -> str:
    """The text without halves of characters, which JSON allows and files do not."""
    return text.encode("utf-8", "replace").decode()


def sent(model: str, said: list[dict[str, Any]], offered: list[dict[str, Any]]) -> str:
    """What the model was sent, for the record; the tools' definitions by name and hash."""
    digest = hashlib.sha256(json.dumps(offered, sort_keys=True).encode()).hexdigest()
    names = [offer["function"]["name"] for offer in offered]
    whole = {"model": model, "messages": said, "tools": names, "tools_sha256": digest}
    return json.dumps(whole, ensure_ascii=False, indent=1)
