"""Purses: limits on what language models cost hold, whoever spends at the same time."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.budget import Budget, BudgetReached
from tools.purse import Purse


def test_without_limits_a_purse_counts_and_is_never_empty() -> None:
    purse = Purse()
    purse.pay(1_000_000, 5.0)
    assert (purse.spent_tokens, purse.spent_money, purse.empty, purse.low) == (1_000_000, 5.0, "", False)


def test_an_empty_purse_says_which_limit_is_reached() -> None:
    purse = Purse(tokens=1000, money=0.5)
    purse.pay(10, 0.5)
    assert purse.empty == "the budget of 0.5 money is spent"
    purse.pay(990, 0.0)
    assert purse.empty == "the budget of 1,000 tokens is spent"


def test_a_purse_is_low_when_going_on_and_concluding_would_not_fit_any_more() -> None:
    purse = Purse(tokens=1000)
    purse.pay(300, None)
    assert not purse.low and purse.unknown == 1
    purse.pay(200, None)
    assert purse.low


def test_every_thread_that_shares_a_purse_wants_to_conclude() -> None:
    purse = Purse(tokens=1000, threads=4)
    purse.pay(130, 0.0)
    assert purse.low


def test_what_is_left_is_never_less_than_nothing() -> None:
    purse = Purse(tokens=100)
    purse.pay(130, None)
    assert purse.left() == (0, None)


@given(
    costs=st.lists(st.integers(25, 100), min_size=1, max_size=40),
    limit=st.integers(1, 1500),
    jobs=st.integers(1, 6),
)
def test_requests_made_at_once_overrun_a_limit_by_one_request_at_most(
    costs: list[int], limit: int, jobs: int
) -> None:
    shared = Purse(tokens=limit, threads=jobs)
    waiting = list(costs)

    async def thread() -> None:
        budget = Budget(shared=shared)
        while waiting:
            cost = waiting.pop()
            try:
                await budget.admit()
            except BudgetReached:
                return
            await asyncio.sleep(0)
            budget.pay(cost, None)

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(jobs):
                group.create_task(thread())

    asyncio.run(all_of_them())
    assert shared.spent_tokens < limit + max(costs)


@pytest.mark.asyncio
async def test_a_components_own_purse_is_asked_as_well() -> None:
    budget = Budget(own=Purse(tokens=10), shared=Purse(tokens=1000))
    await budget.admit()
    budget.pay(10, None)
    with pytest.raises(BudgetReached, match="10 tokens") as reached:
        await budget.admit()
    assert reached.value.exit_code == 4 and budget.low
