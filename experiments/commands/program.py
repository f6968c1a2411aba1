"""`maieutic run program FILE`: a program over the tools, run as planners' programs are, in the same sandbox.

Knows how a file becomes a run with experiments, and what to say of one that did not end well. The target is opened at
the program's first call, so a mistake in its words is told at once; it is opened and measured at a bench, as planners'
programs do it, since a tool that asks an endpoint needs a loop of its own. Knows nothing about interpreters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.commands.output import narrate, print_json, print_text
from store.errors import UsageError, UserError

if TYPE_CHECKING:
    from agent.bench import Bench
    from agent.programs.carrying import Hand
    from agent.programs.sandbox import Ended
    from experiments.workplace import Workplace
    from store.recorder import Turn
    from store.records import Experiment
    from store.views import RunEnd
    from tools.tool import Tool

PROGRAM = "program"
"""The word that stands in the place of a tool's name."""
DIRECT = "direct"
AGAIN = "run the program again; what was measured is kept"
"""What is told of one that was stopped at once."""
Opening = Callable[[], AbstractContextManager["Workplace"]]


@dataclass
class Table:
    """Where a program's experiments are made: opened at its first call, ended with how it ended."""

    source: str
    opening: Opening
    world: Mapping[str, Any]
    stack: ExitStack
    run: str = ""
    hand: Hand | None = None
    workplace: Workplace | None = None
    ended: Ended | None = None

    async def work(self, tools: Sequence[Tool]) -> None:
        """The program to its end; cancelled, it ends at once, and a call of it that is at work is waited for."""
        from agent.bench import Bench
        from agent.programs.processes import Processes
        from agent.programs.stubs import stubs

        with Bench() as bench:
            ask = partial(self._ask, bench)
            self.ended = await Processes().run(self.source, stubs(tools), [one.name for one in tools], ask)

    @property
    def made(self) -> list[Experiment]:
        return self.hand.made if self.hand else []

    def close(self, how: RunEnd) -> None:
        """Writes how the program ended, unless something else stopped it, and with it the run."""
        if self.workplace is not None and self.run:
            recorder = self.workplace.store.recorder
            if self.ended is not None:
                recorder.step(self.run, DIRECT, 1, {"kind": "ended", **asdict(self.ended)})
            recorder.end_run(self.run, how)

    async def _ask(self, bench: Bench, name: str, args: Any, given: dict[str, Any]) -> Any:
        """One call of the program."""
        if self.hand is None:
            self.hand = await bench.submit(partial(self._open, bench))
        return await self.hand.ask(name, args, given)

    def _open(self, bench: Bench) -> Hand:
        from agent.decision import Program, as_row
        from agent.programs.carrying import Hand
        from tools.budget import Budget
        from tools.door import call
        from tools.tool import TOOLS

        self.workplace = workplace = self.stack.enter_context(self.opening())
        workplace.register()
        recorder = workplace.store.recorder
        words = {"tool": PROGRAM} | dict(self.world)
        self.run = recorder.open_run("direct", workplace.target.fingerprint, words, workplace.seed, DIRECT)
        recorder.step(self.run, DIRECT, 0, as_row(Program(source=self.source)))
        context = workplace.context(Budget(), index=False)

        async def measure(turn: Turn, name: str, arguments: Mapping[str, Any]) -> Experiment:
            return await bench.submit(partial(call, context, turn, name, arguments))

        return Hand(recorder, self.run, DIRECT, 0, TOOLS, measure)


def run_program(path: str, opening: Opening, world: Mapping[str, Any], as_json: bool) -> None:
    """Runs the program in `path` and prints what it printed.

    Raises UsageError for a file that can't be read, UserError where the program did not run to its end.
    """
    from experiments.driving import in_this_process
    from tools import door  # noqa: F401  # its import registers every tool
    from tools.tool import TOOLS

    source = read_program(path)
    tools = [TOOLS[name] for name in sorted(TOOLS)]
    how: RunEnd = "failed"
    with ExitStack() as stack:
        table = Table(source, opening, world, stack)
        try:
            in_this_process(AGAIN)(table.work(tools))
            ended = table.ended
            assert ended is not None
            how = "done" if ended.end == "done" else "failed"
        except KeyboardInterrupt:
            how = "interrupted"
            raise
        finally:
            table.close(how)
    numbers = [f"e{one.number}" for one in table.made]
    if numbers:
        narrate(f"{', '.join(numbers)} recorded in run {table.run}")
    if ended.printed and not as_json:
        print_text(ended.printed.rstrip("\n"))
    if ended.cut:
        narrate(f"{ended.cut} characters more were printed, and dropped")
    if ended.end != "done":
        raise stopped(path, ended, numbers)
    if as_json:
        experiments = [one.model_dump(mode="json") for one in table.made]
        told = {"program": path, "run": table.run, **asdict(ended), "experiments": experiments}
        print_json(told)


def read_program(path: str) -> str:
    """The file's text, as far as a program may be long and a little further. Raises UsageError where there is none."""
    from agent.programs.limits import BOUNDS

    try:
        with Path(path).expanduser().open(encoding="utf-8") as file:
            return file.read(BOUNDS.source + 1)
    except (OSError, RuntimeError, UnicodeDecodeError) as error:
        why = "is no text in UTF-8" if isinstance(error, UnicodeDecodeError) else "can't be read"
        raise UsageError(
            f"`{path}` {why}", kind="program-file", hint="name a file: `maieutic run program FILE [TARGET]`"
        ) from error


def stopped(path: str, ended: Ended, numbers: list[str]) -> UserError:
    """A program that did not run to its end, in one line."""
    from agent.programs.limits import BOUNDS
    from agent.programs.telling import told

    kept = f"; {', '.join(numbers)} are kept" if numbers else ""
    hints = {
        "refused": "mend that line (`maieutic show tools` lists the tools); nothing was run",
        "error": f"mend that line{kept}",
        "limit": f"a program may compute {BOUNDS.seconds:g} s, hold {BOUNDS.memory // 2**20} MiB and call tools "
        f"{BOUNDS.calls} times: let it do less at once{kept}",
        "crash": f"a program may compute {BOUNDS.seconds:g} s: look for numbers that grow without end{kept}",
    }
    words = " ".join(told(ended).split())
    return UserError(f"`{path}`: {words}", kind=f"program-{ended.end}", hint=hints[ended.end])
