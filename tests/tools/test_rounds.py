"""Rounds: calls that share what they need of a model, and never see one another."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextvars import ContextVar
from functools import partial

import pytest

from tools.meter import count, metered
from tools.rounds import Rounds, ask, elsewhere, undisturbed

WHO: ContextVar[str] = ContextVar("WHO", default="")


class Doubling:
    """Doubles numbers, and remembers which it was given together."""

    def __init__(self) -> None:
        self.passes: list[list[int]] = []

    def together(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.passes.append(list(numbers))
        return [ValueError(f"{one} is odd") if one % 2 else 2 * one for one in numbers]

    def of(self, number: int) -> int:
        return ask(self.together, number)


def finish(rounds: Rounds) -> None:
    while len(rounds):
        rounds.turn()


def test_who_is_not_one_of_several_calls_is_answered_at_once_and_alone() -> None:
    runner = Doubling()
    assert runner.of(4) == 8 and runner.passes == [[4]]
    with pytest.raises(ValueError, match="3 is odd"):
        runner.of(3)


def test_what_all_calls_wait_for_is_run_together_and_each_gets_its_own() -> None:
    runner, rounds, found = Doubling(), Rounds(), list[list[int]]()

    def call(start: int, times: int) -> None:
        found.append([runner.of(start + 10 * time) for time in range(times)])

    for start, times in ((2, 3), (4, 1), (6, 2)):
        rounds.start(partial(call, start, times))
    assert len(rounds) == 3 and not runner.passes
    finish(rounds)
    assert runner.passes == [[2, 4, 6], [12, 16], [22]]
    assert sorted(found) == [[4, 24, 44], [8], [12, 32]]


def test_a_long_call_holds_up_a_short_one_by_no_more_than_one_pass() -> None:
    runner, rounds, ended = Doubling(), Rounds(), list[str]()

    def long() -> None:
        for number in range(0, 200, 2):
            runner.of(number)
        ended.append("long")

    def short() -> None:
        runner.of(0)
        ended.append("short")

    rounds.start(long)
    for _ in range(5):
        rounds.turn()
    rounds.start(short)
    rounds.turn()
    assert ended == ["short"]


def test_a_request_that_fails_fails_for_who_made_it_alone() -> None:
    runner, rounds, told = Doubling(), Rounds(), list[object]()

    def call(number: int) -> None:
        try:
            told.append(runner.of(number))
        except ValueError as error:
            told.append(str(error))

    for number in (2, 3, 4):
        rounds.start(partial(call, number))
    finish(rounds)
    assert told == [4, "3 is odd", 8]


def test_a_runner_that_breaks_tells_all_who_waited_for_it_and_the_rest_go_on() -> None:
    def broken(_: Sequence[int]) -> list[int | Exception]:
        raise MemoryError("no room")

    runner, rounds, told = Doubling(), Rounds(), list[object]()

    def call(which: int) -> None:
        try:
            told.append(ask(broken, which) if which < 2 else runner.of(which))
        except MemoryError as error:
            told.append(str(error))

    for which in (0, 2, 1):
        rounds.start(partial(call, which))
    finish(rounds)
    assert told == ["no room", "no room", 4]


def test_what_is_undisturbed_is_whole_before_another_call_goes_on() -> None:
    runner, rounds, seen = Doubling(), Rounds(), list[str]()

    def call(name: str) -> None:
        runner.of(0)
        with undisturbed():
            seen.append(f"{name} begins")
            runner.of(2)
            seen.append(f"{name} ends")

    rounds.start(partial(call, "a"))
    rounds.start(partial(call, "b"))
    finish(rounds)
    assert seen == ["a begins", "a ends", "b begins", "b ends"]
    assert runner.passes == [[0, 0], [2], [2]]


def test_each_call_counts_its_own_rows_and_keeps_its_own_context() -> None:
    runner, rounds, counted = Doubling(), Rounds(), dict[str, int]()

    def call(name: str, rows: int) -> None:
        WHO.set(name)
        with metered() as meter:
            for _ in range(rows):
                runner.of(2)
                assert WHO.get() == name
                count(1)
        counted[name] = meter.rows

    for name, rows in (("a", 3), ("b", 5), ("c", 1)):
        rounds.start(partial(call, name, rows))
    finish(rounds)
    assert counted == {"a": 3, "b": 5, "c": 1} and WHO.get() == ""


def test_a_call_that_waits_elsewhere_holds_up_no_other_one() -> None:
    come, woken, told = threading.Event(), threading.Event(), list[object]()
    rounds, runner = Rounds(woken.set), Doubling()

    def patient() -> None:
        told.append(("elsewhere", elsewhere(lambda: come.wait(30))))
        told.append(runner.of(2))

    def quick() -> None:
        told.append(runner.of(4))
        come.set()

    rounds.start(patient)
    assert (len(rounds), rounds.idle) == (1, True)
    rounds.start(quick)
    while len(rounds):
        if rounds.idle:
            assert woken.wait(30)
        rounds.turn()
    assert told == [8, ("elsewhere", True), 4]


def test_what_is_done_elsewhere_sees_the_context_of_its_call_and_fails_for_it_alone() -> None:
    woken, told = threading.Event(), list[object]()
    rounds = Rounds(woken.set)

    def work(number: int) -> tuple[str, bool, float]:
        return WHO.get(), threading.current_thread() is here, 1 / number

    def call(number: int) -> None:
        WHO.set(f"call {number}")
        try:
            told.append(elsewhere(partial(work, number)))
        except ZeroDivisionError:
            told.append("no answer")

    here = threading.current_thread()
    for number in (0, 2):
        rounds.start(partial(call, number))
    while len(rounds):
        assert woken.wait(30)
        rounds.turn()
    assert sorted(told, key=str) == [("call 2", False, 0.5), "no answer"] and WHO.get() == ""


def test_who_is_alone_or_undisturbed_does_it_here_and_at_once() -> None:
    rounds, told = Rounds(), list[threading.Thread]()

    def call() -> None:
        with undisturbed():
            told.append(elsewhere(threading.current_thread))

    rounds.start(call)
    assert len(rounds) == 0
    assert [*told, elsewhere(threading.current_thread)] == [threading.current_thread()] * 2
