"""The process between a program and us: it holds the interpreter's worker, and repeats what the program asks for.

Run as a script of its own, without our environment and without our files: it knows pydantic-monty and JSON lines, and
imports nothing of ours. One order comes in on stdin; calls, and in the end how it ended, go out on stdout. What goes
out is plain data of bounded size, whatever the program made. When we are gone, it ends.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import suppress
from typing import Any

from pydantic_monty import (
    FunctionSnapshot,
    Monty,
    MontyComplete,
    MontyCrashedError,
    MontyError,
    MontyRuntimeError,
    MontySession,
    MontySyntaxError,
    MontyTypingError,
    NameLookupSnapshot,
    SyncSnapshot,
)

try:
    import resource
except ImportError:  # not a Unix: the interpreter's own limits are all there are
    resource = None  # type: ignore[assignment]

NAME = "program.py"
PROBLEMS = 4
"""Type errors that are told of one program."""
_MEMORY = re.compile(r"memory limit exceeded: \d+ bytes > (\d+) bytes")
_DEPTH = "maximum recursion depth exceeded"
_PROBLEM = re.compile(rf"{re.escape(NAME)}:(\d+):\d+: \w+\[([\w-]+)\] (.*)")
_WIDE = re.compile(r'Expected `[^`]*Literal\["[^`]*`, found `str`$|found `[^`]* \| [^`]*`$')
"""A word that may be one of those allowed, a value that may be of the type: the call itself will tell."""
_FED = "<python-input-1>"
"""What the interpreter calls the program's text: it is fed second, after the functions that programs are given."""


class TooMuch(Exception):
    """Arguments that are no plain data, or too large: the program hears it."""


class Printed:
    """What was printed, cut to a budget; `stops` counts how often the program has waited for an answer."""

    def __init__(self, budget: int) -> None:
        self.text, self.cut, self.stops, self._budget = "", 0, 0, budget

    def __call__(self, stream: str, text: str) -> None:
        kept = text[: self._budget - len(self.text)]
        self.text += kept
        self.cut += len(text) - len(kept)


def main() -> None:
    order = json.loads(sys.stdin.readline())
    bounds = order["bounds"]
    printed = Printed(bounds["printed"])
    confine(bounds)
    try:
        told = kept(order, printed)
    except MontyTypingError as error:
        told = untyped(error.display())
    except MontySyntaxError as error:
        told = raised("refused", error)
    except MontyCrashedError as error:
        told = {"end": "crash", "told": f"its process was killed: {error}"}
    except MontyRuntimeError as error:
        told = raised("limit" if reached(error, bounds, printed.stops) else "error", error)
    except (MontyError, ValueError, TypeError, RuntimeError, RecursionError, MemoryError) as error:
        told = {"end": "crash", "told": f"it asked for something that can't be handed over: {error}"}
    told["told"] = clean(str(told.get("told", "")))[: bounds["told"]]
    say(told | {"printed": clean(printed.text), "cut": printed.cut})


def kept(order: dict[str, Any], printed: Printed) -> dict[str, Any]:
    """Runs the program to its end, whichever that is."""
    bounds = order["bounds"]
    limits = {
        "max_feed_duration_secs": bounds["seconds"],
        "max_memory": bounds["memory"],
        "max_recursion_depth": bounds["depth"],
        "max_suspensions": bounds["lookups"],
        "max_total_sleep_secs": 0.0,
    }
    with (
        Monty(
            min_processes=1,
            max_processes=1,
            max_checkouts_per_worker=1,
            request_timeout=bounds["seconds"] + bounds["grace"],
            feed_duration_limit_grace=bounds["grace"],
        ) as pool,
        pool.checkout(
            script_name=NAME,
            limits=limits,  # type: ignore[arg-type]
            type_check=order["check"],
            type_check_stubs=order["stubs"],
            type_check_format="concise",
            os_policy={
                "sleep": "zero",
                "datetime": "call_host",
                "process_time": "zero",
                "random_start": {"seed": 0},
            },
        ) as session,
    ):
        seal(session.worker_pid)
        session.feed_run(order["given"], skip_type_check=True)
        return driven(session, order, printed)


def driven(session: MontySession, order: dict[str, Any], printed: Printed) -> dict[str, Any]:
    """Steps from question to question; every answer comes from outside."""
    bounds, calls = order["bounds"], 0
    snapshot = started(session, order["source"], printed)
    while not isinstance(snapshot, MontyComplete):
        printed.stops += 1
        if isinstance(snapshot, NameLookupSnapshot):
            name = snapshot.variable_name
            known = name in order["names"] and snapshot.object_id is None
            snapshot = snapshot.resume(value=function(name)) if known else snapshot.resume()
        elif isinstance(snapshot, FunctionSnapshot) and snapshot.is_os_function:
            snapshot = snapshot.resume_not_handled()
        elif isinstance(snapshot, FunctionSnapshot):
            if snapshot.function_name not in order["names"] or snapshot.object_id is not None:
                unknown = NameError(f"name '{snapshot.function_name}' is not defined")
                snapshot = snapshot.resume({"exception": unknown})
                continue
            calls += 1
            if calls > bounds["calls"]:
                return {"end": "limit", "told": f"it called tools more than {bounds['calls']} times"}
            snapshot = snapshot.resume(asked(snapshot, bounds))
        else:
            return {"end": "error", "told": "it waits for something that never comes: call tools plainly"}
    return {"end": "done"}


def started(session: MontySession, source: str, printed: Printed) -> SyncSnapshot:
    """The program at its first question; where its types are only too wide to tell, it is given the benefit."""
    try:
        return session.feed_start(source, print_callback=printed)
    except MontyTypingError as error:
        problems = _PROBLEM.findall(error.display())
        if not problems or not all(_WIDE.search(why) for _, _, why in problems):
            raise
        return session.feed_start(source, print_callback=printed, skip_type_check=True)


def asked(snapshot: FunctionSnapshot, bounds: dict[str, Any]) -> Any:
    """The answer to one call, or what is wrong with it."""
    try:
        room, nesting = [bounds["argument"]], bounds["nesting"]
        args = [plain(value, room, nesting) for value in snapshot.args]
        named = {plain(name, room, 0): plain(value, room, nesting) for name, value in snapshot.kwargs.items()}
    except TooMuch as error:
        return {"exception": TypeError(f"{snapshot.function_name}: {error}")}
    say({"call": snapshot.function_name, "args": args, "kwargs": named})
    answer = read()
    if "error" in answer:
        return {"exception": ValueError(answer["error"])}
    return {"return_value": answer["value"]}


def plain(value: Any, room: list[int], nesting: int) -> Any:
    """The value as JSON knows it; `room` counts down what may still come. Raises TooMuch for anything else, for more
    than there is room for, and for lists in lists without end."""
    room[0] -= len(value) if type(value) is str else 1
    if nesting < 0 or room[0] < 0:
        raise TooMuch("arguments are too long, or lists in them nested too deeply")
    if isinstance(value, bool) or value is None:
        return value
    if type(value) is int and abs(value) < 2**63:
        return value
    if type(value) is float and abs(value) < float("inf"):
        return value
    if type(value) is str:
        return clean(value)
    if type(value) in (list, tuple):
        return [plain(one, room, nesting - 1) for one in value]
    if type(value) is dict and all(type(name) is str for name in value):
        return {plain(name, room, nesting): plain(one, room, nesting - 1) for name, one in value.items()}
    raise TooMuch("only numbers, words, lists and dicts can be handed over")


def function(name: str) -> Any:
    """Something callable of that name: what it does is asked outside."""

    def called(*_: Any, **__: Any) -> None:
        raise AssertionError("calls are answered step by step")

    called.__name__ = name
    return called


def untyped(told: str) -> dict[str, Any]:
    """Line and rule of each type error."""
    found = _PROBLEM.findall(told)[:PROBLEMS]
    if not found:
        return {"end": "refused", "told": told}
    words = "; ".join(f"line {line}: {why} ({rule})" for line, rule, why in found)
    return {"end": "refused", "told": words, "line": int(found[0][0])}


def reached(error: MontyRuntimeError, bounds: dict[str, Any], stops: int) -> bool:
    """Whether one of the interpreter's own limits ended the program, and not an exception of its own.

    A program that raises such an exception itself stands in a frame of its own; out of time, or with a worker that was
    ended for its memory, it stands in none; and how often it has waited is counted here. Memory that was refused and
    depth are known by the type and the whole message, numbers included: a program that raises exactly these says of
    itself that it has reached a limit, and is believed.
    """
    exception = error.exception()
    words = str(exception)
    match exception:
        case TimeoutError():
            return not error.traceback()
        case MemoryError():
            found = _MEMORY.fullmatch(words)
            refused = found is not None and int(found[1]) == bounds["memory"]
            return refused or not error.traceback()
        case RecursionError():
            return words == _DEPTH
        case RuntimeError():
            return stops >= bounds["lookups"] and words == f"suspension limit {bounds['lookups']} exceeded"
    return False


def raised(end: str, error: MontyRuntimeError | MontySyntaxError) -> dict[str, Any]:
    frames = [frame for frame in error.traceback() if frame.filename == _FED]
    line = int(frames[-1].line) if frames else None
    return {"end": end, "told": error.display("type-msg"), "line": line}


def confine(bounds: dict[str, Any]) -> None:
    """From here on this process and those it begins can't grow without end, write a file or leave a core."""
    if resource is not None:
        for limit, value in (
            (resource.RLIMIT_AS, bounds["address_space"]),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_CORE, 0),
        ):
            with suppress(ValueError, OSError):
                resource.setrlimit(limit, (value, value))


def seal(worker: int | None) -> None:
    """The worker keeps the pipes that it has, and opens nothing more: no file, no socket, no process."""
    if worker is not None and hasattr(resource, "prlimit"):
        for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC):
            resource.prlimit(worker, limit, (0, 0))


def clean(text: str) -> str:
    """The text without halves of characters."""
    return text.encode("utf-8", "replace").decode()


def say(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def read() -> dict[str, Any]:
    line = sys.stdin.readline()
    if not line:
        raise SystemExit(0)  # nobody waits for an answer any more
    answer: dict[str, Any] = json.loads(line)
    return answer


if __name__ == "__main__":
    main()
