"""Calls that are at work at the same time, on one thread: what they need of a model is run together, round by round.

A call runs until it needs a pass. When every call waits for one, those that the same runner can put together are run,
and each call goes on with its own answer: none waits for more than one pass of each of the others, and nothing else
ever happens between two lines of a call. What needs no model but patience, such as an endpoint's answer, is waited for
`elsewhere`, while the others go on. Knows nothing about models; a runner says how several requests become one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from threading import Thread
from typing import Any, NamedTuple, TypeVar

from greenlet import getcurrent, greenlet

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
Runner = Callable[[Sequence[Asked]], Sequence[Answer | Exception]]
"""Runs requests, in whatever way is best for all of them: one answer each, or the reason why there is none."""

_UNDISTURBED: ContextVar[bool] = ContextVar("UNDISTURBED", default=False)


class _Call(greenlet):  # type: ignore[misc]  # the package says nothing of its types
    """A piece of work that can stand still inside a function that it called."""


class _Waiting(NamedTuple):
    call: _Call
    runner: Runner[Any, Any]
    request: Any


def ask(runner: Runner[Asked, Answer], request: Asked) -> Answer:
    """The runner's answer: with others' requests where the caller is one of several calls at work, else at once.

    Raises what the runner has for this request in place of an answer.
    """
    call = getcurrent()
    if isinstance(call, _Call) and not _UNDISTURBED.get():
        answer = call.parent.switch(runner, request)
    else:
        (answer,) = runner([request])
    if isinstance(answer, Exception):
        raise answer
    return answer


def elsewhere(work: Callable[[], Answer]) -> Answer:
    """What `work` gives or raises: on a thread of its own, while other calls go on, where the caller is one of several
    calls at work; else here and at once. It sees the caller's context, and must not touch a model."""
    call = getcurrent()
    if not isinstance(call, _Call) or _UNDISTURBED.get():
        return work()
    ended: Future[Answer] = call.parent.switch(None, partial(copy_context().run, work))
    return ended.result()


@contextmanager
def undisturbed() -> Iterator[None]:
    """What runs inside waits for nobody, and no other call sees it half done."""
    before = _UNDISTURBED.set(True)
    try:
        yield
    finally:
        _UNDISTURBED.reset(before)


class Rounds:
    """The calls at work on this thread. `start` and `turn` are called from one thread only, outside of all calls.

    `wake` is called, on another thread, when something that a call has waited for elsewhere has come.
    """

    def __init__(self, wake: Callable[[], None] = lambda: None) -> None:
        self._wake = wake
        self._waiting: list[_Waiting] = []
        self._come: deque[tuple[_Call, Future[Any]]] = deque()
        self._elsewhere = 0

    def __len__(self) -> int:
        """How many calls wait, for a pass or for something elsewhere; none is at work between two turns."""
        return len(self._waiting) + self._elsewhere

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do before something comes from elsewhere."""
        return not (self._waiting or self._come)

    def start(self, work: Callable[[], None]) -> None:
        """Lets a call work until it needs a pass, or to its end. What it raises passes on."""
        call = _Call(work)
        call.gr_context = copy_context()
        self._go_on(call)

    def turn(self) -> None:
        """Lets those work on whose answers have come from elsewhere; then runs what all calls wait for, and lets each
        work on, in the order in which they asked."""
        for _ in range(len(self._come)):
            call, ended = self._come.popleft()
            self._elsewhere -= 1
            self._go_on(call, ended)
        waiting, self._waiting = self._waiting, []
        for runner in dict.fromkeys(one.runner for one in waiting):
            mine = [one for one in waiting if one.runner == runner]
            for one, answer in zip(mine, _answers(runner, [one.request for one in mine]), strict=True):
                self._go_on(one.call, answer)

    def _go_on(self, call: _Call, *answer: object) -> None:
        asked = call.switch(*answer)
        if call.dead:
            return
        runner, request = asked
        if runner is not None:
            self._waiting.append(_Waiting(call, runner, request))
            return
        self._elsewhere += 1
        Thread(target=self._wait_for, args=(call, request), name="elsewhere").start()

    def _wait_for(self, call: _Call, work: Callable[[], Any]) -> None:
        ended: Future[Any] = Future()
        try:
            ended.set_result(work())
        except BaseException as error:  # whatever it is, it is the call's
            ended.set_exception(error)
        self._come.append((call, ended))
        self._wake()


def _answers(runner: Runner[Any, Any], requests: list[Any]) -> Sequence[Any]:
    try:
        found = runner(requests)
        if len(found) != len(requests):
            raise RuntimeError(f"{len(found)} answers to {len(requests)} requests")
        return found
    except Exception as error:
        return [error] * len(requests)
