"""`maieutic doctor` says what is here and what is wrong, and fails when something is."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path

import pytest

from tests.labelling import Place


@pytest.fixture
def place(committed_weights: Path, tmp_path: Path) -> Place:
    return Place(tmp_path, tmp_path / "cache")


def test_all_is_well_in_a_checkout_with_a_new_store(place: Place) -> None:
    said = place.says("doctor", "--json")
    assert said.code == 0, said.out
    checks = said.json["checks"]
    assert said.json["ok"] and checks.keys() == {"packages", "device", "weights", "store"}
    assert "torch " in checks["packages"]["says"] and "0 runs" in checks["store"]["says"]
    assert str(place.store) in checks["store"]["says"]


def test_a_store_that_can_not_be_opened_fails_the_check_and_the_rest_is_still_told(place: Place) -> None:
    place.store.write_text("no store " * 200)
    said = place.says("doctor", "--json")
    assert said.code == 1 and not said.json["ok"]
    assert {name: check["ok"] for name, check in said.json["checks"].items()} == {
        "packages": True,
        "device": True,
        "weights": True,
        "store": False,
    }
    assert "is a file but no store" in said.json["checks"]["store"]["says"]
    assert "!!" in place.says("doctor").out


def test_a_disk_that_is_nearly_full_fails_the_check(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(1 << 40, 1 << 40, 1 << 20))
    said = place.says("doctor", "--json")
    assert said.code == 1
    assert "only 0.0 GiB are free" in said.json["checks"]["store"]["says"]


def test_weights_that_changed_on_disk_fail_the_check(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from store.errors import UserError

    def changed(folder: Path) -> None:
        raise UserError("`model.safetensors` differs from its card", kind="weights", hint="restore it")

    monkeypatch.setattr("experiments.registry.verify", changed)
    said = place.says("doctor", "--json")
    assert said.code == 1 and "differs from its card; restore it" in said.json["checks"]["weights"]["says"]
