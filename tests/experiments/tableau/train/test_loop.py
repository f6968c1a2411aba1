"""The training loop: stages in order, frozen parts that stay, and a stop anywhere that changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from experiments.tableau.train import loop
from experiments.tableau.train.descent import Optimizers
from experiments.tableau.train.loop import Outcome, Stage, learned_so_far, schedule, train


class Line(nn.Module):
    """Two linear maps, one of them inside `layers`, so that both optimizers are at work."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.ModuleDict({"layers": nn.ModuleList([nn.Linear(4, 4)]), "read": nn.Linear(4, 1)})

    def loss(self, batch: Tensor) -> Outcome:
        guess = self.net["read"](self.net["layers"][0](batch).tanh())  # type: ignore[index]
        return Outcome(((guess[:, 0] - batch.sum(1)) ** 2).mean(), {})


def make(step: int) -> Tensor:
    return torch.randn(16, 4, generator=torch.Generator().manual_seed(step))


def stages(model: Line, stop_at: int = -1) -> list[Stage]:
    def loss(batch: Tensor) -> Outcome:
        if torch.equal(batch, make(stop_at)):
            raise KeyboardInterrupt
        return model.loss(batch)

    return [
        Stage("first", 12, {"net": 1e-2}, make, loss, snapshots=(0.5, 1.0)),
        Stage("second", 8, {"net.read": 1e-2}, make, loss),
    ]


def run(folder: Path, model: Line, stop_at: int = -1) -> None:
    train(folder, model, stages(model, stop_at), dict, device=torch.device("cpu"), workers=0)


def test_a_stopped_training_ends_where_an_undisturbed_one_does(tmp_path: Path) -> None:
    whole, first, second = Line(), Line(), Line()
    run(tmp_path / "whole", whole)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", first, stop_at=7)
    run(tmp_path / "stopped", second)
    for ours, theirs in zip(whole.parameters(), second.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def averaging(model: Line, stop_at: int = -1) -> list[Stage]:
    return [replace(stage, average=0.9) for stage in stages(model, stop_at)]


def test_a_stopped_training_that_averages_ends_where_an_undisturbed_one_does(tmp_path: Path) -> None:
    whole, first, second, plain = Line(), Line(), Line(), Line()
    run(tmp_path / "plain", plain)
    train(tmp_path / "whole", whole, averaging(whole), dict, device=torch.device("cpu"), workers=0)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", first, averaging(first, 7), dict, device=torch.device("cpu"), workers=0)
    train(tmp_path / "stopped", second, averaging(second), dict, device=torch.device("cpu"), workers=0)
    for ours, theirs, last in zip(whole.parameters(), second.parameters(), plain.parameters(), strict=True):
        assert torch.equal(ours, theirs)
        assert not torch.equal(ours, last)


def test_an_unfinished_training_gives_its_averaged_weights(tmp_path: Path) -> None:
    stopped, found = Line(), Line()
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, stopped, averaging(stopped, 7), dict, device=torch.device("cpu"), workers=0)
    assert learned_so_far(tmp_path, found).step == 7
    kept = torch.load(tmp_path / "state.pt", weights_only=True)
    for averaged, own, name in zip(
        found.parameters(), stopped.parameters(), dict(found.named_parameters()), strict=True
    ):
        assert not torch.equal(averaged, own)
        assert torch.equal(own, kept["model"][name])


def test_a_kernel_of_a_convolution_learns_as_a_matrix_does() -> None:
    """A 1×1 convolution and a linear map are the same function, so Muon must move them alike."""
    torch.manual_seed(0)
    linear, kernel = nn.Linear(6, 5, bias=False), nn.Conv2d(6, 5, 1, bias=False)
    kernel.weight.data.copy_(linear.weight.data[:, :, None, None])
    values = torch.randn(16, 6)
    for layer, inputs in ((linear, values), (kernel, values[:, :, None, None])):
        model = nn.ModuleDict({"net": nn.ModuleDict({"resnets": nn.ModuleList([layer])})})
        optimizer = Optimizers(model, {"net": 1e-2})
        for _ in range(3):
            layer(inputs).square().sum().backward()
            optimizer.step()
    assert torch.allclose(linear.weight, kernel.weight[:, :, 0, 0], atol=1e-6)


def test_what_a_stage_does_not_name_stays_as_it_is(tmp_path: Path) -> None:
    model = Line()
    run(tmp_path, model)
    after_first = load_file(tmp_path / "snapshots" / "first-00012.safetensors")
    after_second = load_file(tmp_path / "snapshots" / "second-00008.safetensors")
    assert torch.equal(after_first["net.layers.0.weight"], after_second["net.layers.0.weight"])
    assert not torch.equal(after_first["net.read.weight"], after_second["net.read.weight"])


def test_a_snapshot_is_kept_at_every_share_that_is_asked_for(tmp_path: Path) -> None:
    run(tmp_path, Line())
    kept = sorted(path.stem for path in (tmp_path / "snapshots").iterdir())
    assert kept == ["first-00006", "first-00012", "second-00008"]


def test_the_rate_rises_then_falls_to_its_floor() -> None:
    shares = [schedule(step, 1000) for step in range(1000)]
    peak = shares.index(max(shares))
    assert shares[:peak] == sorted(shares[:peak])
    assert shares[peak:] == sorted(shares[peak:], reverse=True)
    assert shares[peak] == pytest.approx(1.0, abs=1e-3)
    assert shares[-1] == pytest.approx(loop.FLOOR, abs=1e-3)
