"""What is written is what was meant: each kind of value, part and positions, against sums done here."""

from __future__ import annotations

import pytest
import torch

from store.address import parse
from store.errors import UserError
from tests.tools.lively import QUESTIONS, asked
from tools.engine.engine import Engine
from tools.engine.plan import Add, Apply, Intervention, Mean, Plan, Row, Scale, Set, Swap, Zero
from tools.targets.sites import Site, parse_site, site_of

STIMULI = asked(*QUESTIONS)
ACT = parse_site("language.1.mlp.act")


def read(engine: Engine, site: Site, *writes: Intervention, stimulus: int = 0) -> torch.Tensor:
    """A site in one row, after something is written, at the positions that are not padding."""
    outcome = engine.run(Plan(STIMULI, [Row(stimulus, writes)], (site,)))
    return outcome.reads[site][0][outcome.batch.real[0]]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Zero(), lambda now: now * 0),
        (Scale(-2.5), lambda now: now * -2.5),
        (Set(torch.tensor(7.0)), lambda now: now * 0 + 7),
        (Add(torch.tensor([3.0])), lambda now: now + 3),
        (Apply(torch.tanh), torch.tanh),
    ],
)
def test_a_value_is_written_to_one_unit_at_the_chosen_positions(llava, value, expected) -> None:  # type: ignore[no-untyped-def]
    plain = read(llava, ACT)
    found = read(llava, ACT, Intervention(ACT, 5, "visual", value))
    wanted = plain.clone()
    wanted[1:5, 5] = expected(plain[1:5, 5])
    assert (found - wanted).abs().max() < 1e-6


def test_positions_count_from_the_first_real_token(llava: Engine) -> None:
    """The last question is the shortest: its row is padded."""
    for stimulus in (0, 3):
        plain = read(llava, ACT, stimulus=stimulus)
        found = read(llava, ACT, Intervention(ACT, None, (0, -1), Zero()), stimulus=stimulus)
        assert found[[0, -1]].abs().max() == 0
        assert (found[1:-1] - plain[1:-1]).abs().max() < 1e-5


def test_several_interventions_at_one_site_apply_in_order(llava: Engine) -> None:
    found = read(
        llava,
        ACT,
        Intervention(ACT, None, "all", Set(torch.tensor(2.0))),
        Intervention(ACT, 1, "answer", Scale(5.0)),
        Intervention(ACT, 1, "answer", Add(torch.tensor(1.0))),
    )
    assert found[-1, 1] == 11 and found[-1, 0] == 2 and found[0, 1] == 2


def test_what_is_written_at_one_name_of_a_place_is_read_at_the_other(llava: Engine) -> None:
    embed, stream = parse_site("embed"), parse_site("language.0.resid_pre")
    found = read(llava, stream, Intervention(embed, None, "all", Set(torch.tensor(1.0))))
    assert (found == 1).all()


def test_a_swap_takes_from_the_untouched_run_of_the_other_stimulus(llava: Engine) -> None:
    other = read(llava, ACT, stimulus=3)
    found = read(
        llava,
        ACT,
        Intervention(parse_site("language.0.mlp.act"), None, "all", Zero()),
        Intervention(ACT, 4, "visual", Swap(3)),
        Intervention(ACT, None, "answer", Swap(3)),
    )
    assert (found[1:5, 4] - other[1:5, 4]).abs().max() < 1e-5
    assert (found[-1] - other[-1]).abs().max() < 1e-5
    assert (found[1:5, 5] - other[1:5, 5]).abs().max() > 1e-2


def test_zeroing_a_head_takes_away_what_its_output_row_writes(llava: Engine) -> None:
    z, out = parse_site("language.0.attn.z"), parse_site("language.0.attn.out")
    for tower, head in (("language", 2), ("vision", 1)):
        address = parse(f"{tower}.0.head.{head}")
        z, index = site_of(address)
        out = parse_site(f"{tower}.0.attn.out")
        plain, zeroed = (
            llava.run(Plan(STIMULI, [Row(0, writes)], (z, out)))
            for writes in ((), (Intervention(z, index, "all", Zero()),))
        )
        row = llava.adapter.output_row(address)
        part = plain.reads[z][0][:, head * len(row) : (head + 1) * len(row)]
        assert (plain.reads[out][0] - part @ row - zeroed.reads[out][0]).abs().max() < 1e-5
        assert (part @ row).abs().max() > 1e-2


def test_zeroing_a_head_is_zeroing_its_slice(llava: Engine) -> None:
    z = parse_site("language.1.attn.z")
    mask = torch.ones(24)
    mask[6:12] = 0
    plain = read(llava, z)
    by_head, by_slice = (
        llava.run(Plan(STIMULI, [Row(0, (write,))])).logits
        for write in (Intervention(z, 1, "all", Zero()), Intervention(z, None, "all", Set(plain * mask)))
    )
    assert (by_head - by_slice).abs().max() < 1e-5


def test_a_neurons_output_row_is_what_it_adds_to_the_stream(llava: Engine) -> None:
    for tower in ("language", "vision"):
        address = parse(f"{tower}.1.mlp.7")
        act, unit = site_of(address)
        out = parse_site(f"{tower}.1.mlp.out")
        plain, more = (
            llava.run(Plan(STIMULI, [Row(0, writes)], (out,))).reads[out]
            for writes in ((), (Intervention(act, unit, "all", Add(torch.tensor(2.0))),))
        )
        assert (more - plain - 2 * llava.adapter.output_row(address)).abs().max() < 1e-5


def test_means_are_taken_for_each_class_of_positions(llava: Engine) -> None:
    means = llava.mean(ACT, STIMULI)
    visual = torch.cat([read(llava, ACT, stimulus=number)[1:5] for number in range(4)])
    answers = torch.stack([read(llava, ACT, stimulus=number)[-1] for number in range(4)])
    questions = torch.cat([read(llava, ACT, stimulus=number)[5:-1] for number in range(4)])
    starts = torch.stack([read(llava, ACT, stimulus=number)[0] for number in range(4)])
    for found, parts in zip(means, (starts, visual, questions, answers), strict=True):
        assert (found - parts.mean(0)).abs().max() < 1e-5


def test_mean_ablation_writes_the_mean_of_each_positions_class(llava: Engine) -> None:
    means = llava.mean(ACT, STIMULI)
    found = read(llava, ACT, Intervention(ACT, 3, "all", Mean(means)), stimulus=3)
    plain = read(llava, ACT, stimulus=3)
    length = len(plain)
    wanted = torch.stack([means[0, 3], *[means[1, 3]] * 4, *[means[2, 3]] * (length - 6), means[3, 3]])
    assert (found[:, 3] - wanted).abs().max() < 1e-6
    assert (found[:, :3] - plain[:, :3]).abs().max() < 1e-5


def test_means_do_not_depend_on_how_many_rows_run_at_once(llava: Engine) -> None:
    few = Engine(llava.target, rows_at_once=3)
    site = parse_site("vision.1.mlp.act")
    assert torch.allclose(few.mean(site, STIMULI)[:2], llava.mean(site, STIMULI)[:2], atol=1e-6)
    assert few.mean(site, STIMULI)[2:].isnan().all()


def test_rows_are_counted_with_those_that_values_are_taken_from(llava: Engine) -> None:
    swap = Intervention(ACT, None, "answer", Swap(3))
    outcome = llava.run(Plan(STIMULI, [Row(0, (swap,)), Row(1, (swap,)), Row(2)]))
    assert outcome.forwards == 4
    assert outcome.logits.shape == (3, 15)


def test_a_plan_longer_than_a_block_gives_the_same(llava: Engine) -> None:
    swap = (Intervention(ACT, None, "answer", Swap(3)),)
    rows = [Row(number % 3, swap) for number in range(11)]
    blocks = Engine(llava.target, rows_at_once=4).run(Plan(STIMULI, rows, (ACT,)))
    whole = llava.run(Plan(STIMULI, rows, (ACT,)))
    assert (blocks.logits - whole.logits).abs().max() < 1e-5
    assert (blocks.reads[ACT] - whole.reads[ACT]).abs().max() < 1e-5


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (Intervention(ACT, 28, "all", Zero()), r"`language.1.mlp.act` has no 28: it has 28 units \(0–27\)"),
        (Intervention(ACT, None, (40,), Zero()), "position 40 is past the end of a row of 11 positions"),
        (Intervention(ACT, None, "all", Swap(3)), "8 positions of `3` can't be put into 11 of `0`"),
        (Intervention(ACT, None, "all", Set(torch.zeros(3))), r"a value of shape \(3,\) does not fit"),
        (Intervention(parse_site("vision.0.mlp.act"), None, "question", Zero()), "there are no `question`"),
        (
            Intervention(parse_site("language.7.mlp.act"), None, "all", Zero()),
            r'"language.7.mlp.act": .* has 2 language layers \(0–1\)',
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(
    llava: Engine, write: Intervention, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        llava.run(Plan(STIMULI, [Row(0, (write,))]))


def test_an_intervention_at_positions_that_a_stimulus_lacks_is_refused(llava: Engine) -> None:
    write = Intervention(ACT, None, "question", Zero())
    with pytest.raises(UserError, match="`0` has no question positions: nothing would be changed"):
        llava.run(Plan(asked(""), [Row(0, (write,))]))


def test_a_mean_without_such_positions_is_refused(llava: Engine) -> None:
    means = llava.mean(ACT, asked(""))
    with pytest.raises(UserError, match="has no `question` positions"):
        llava.run(Plan(STIMULI, [Row(0, (Intervention(ACT, None, "all", Mean(means)),))]))
