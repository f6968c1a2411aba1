"""Files of the record: whole or not there, once, under the hash of their bytes."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.database import Store, open_store
from store.errors import UserError


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=4096))
def test_bytes_come_back_as_they_were_under_their_own_hash(store: Store, data: bytes) -> None:
    sha = store.artifacts.put(data, "application/octet-stream")
    assert sha == hashlib.sha256(data).hexdigest()
    assert store.artifacts.get(sha) == data
    assert store.artifacts.path(sha).read_bytes() == data


def test_the_same_bytes_are_kept_once_under_their_first_media_type(store: Store) -> None:
    first = store.artifacts.put(b"picture", "image/png")
    written = store.artifacts.path(first).stat().st_mtime_ns
    assert store.artifacts.put(b"picture", "text/plain") == first
    assert store.artifacts.media_type(first) == "image/png"
    assert store.artifacts.path(first).stat().st_mtime_ns == written
    assert files(store) == [first]


def test_many_threads_put_the_same_bytes_once(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        hashes = set(pool.map(lambda _: store.artifacts.put(b"x" * 100_000, "image/png"), range(8)))
    assert files(store) == sorted(hashes)


def test_a_missing_file_is_told_from_one_that_was_never_there(store: Store) -> None:
    sha = store.artifacts.put(b"heat map", "image/png")
    store.artifacts.path(sha).unlink()
    with pytest.raises(UserError, match=f"`{sha}` is not in") as refused:
        store.artifacts.get(sha)
    assert "MAIEUTIC_ARTIFACTS" in refused.value.hint
    with pytest.raises(UserError, match="the record knows no artifact"):
        store.artifacts.media_type("0" * 64)


def test_a_damaged_file_is_not_given_out_and_a_cut_one_is_mended_by_putting_it_again(store: Store) -> None:
    sha = store.artifacts.put(b"heat map", "image/png")
    store.artifacts.path(sha).write_bytes(b"heat")
    with pytest.raises(UserError, match="is damaged"):
        store.artifacts.get(sha)
    store.artifacts.put(b"heat map", "image/png")
    assert store.artifacts.get(sha) == b"heat map"


@pytest.mark.parametrize("name", ["", "abc", "../" * 21 + "x", "A" * 64, "/etc/passwd".ljust(64, "/")])
def test_what_is_no_hash_never_becomes_a_path(store: Store, name: str) -> None:
    with pytest.raises(UserError, match="is no artifact's hash"):
        store.artifacts.path(name)


def test_files_lie_beside_the_store_unless_the_environment_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAIEUTIC_ARTIFACTS", raising=False)
    with open_store(tmp_path / "a.db") as store:
        assert store.artifacts.folder == tmp_path / "a.db.artifacts"
    monkeypatch.setenv("MAIEUTIC_ARTIFACTS", str(tmp_path / "files"))
    with open_store(tmp_path / "a.db") as store:
        assert store.artifacts.folder == tmp_path / "files"


def files(store: Store) -> list[str]:
    """Names of everything in the folder, half-written files included."""
    return sorted(path.name for path in store.artifacts.folder.rglob("*") if path.is_file())
