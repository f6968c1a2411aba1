"""The index is what a plain look at all values would give, however often its making was cut off."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from store.address import Extent
from store.errors import UserError
from tests.tools.index.sources import ADDRESSES, EXTENT, KnownActivations, RandomPictures, known_values
from tools.index import ExemplarIndex, build_index, index_folder, load_index
from tools.index.build import CHECKPOINT, CHUNK
from tools.index.exemplars import Arrays
from tools.pools import POOLS

SIZE = CHUNK * CHECKPOINT * 2 + 100
CHECKOUT = Path(__file__).resolve().parents[3]


class Stopped(Exception):
    pass


def built(
    folder: Path, source: KnownActivations | None = None, *, size: int = SIZE, seed: int = 0
) -> ExemplarIndex:
    return build_index(
        source or KnownActivations(known_values(size)),
        EXTENT,
        RandomPictures(size),
        folder,
        fingerprint="weights",
        seed=seed,
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("index") / "undisturbed"
    built(folder)
    return folder


def test_every_tail_and_moment_is_that_of_all_values(undisturbed: Path) -> None:
    values = known_values(SIZE)
    index = load_index(undisturbed)
    for column, address in enumerate(ADDRESSES):
        entry = index.entry(address)
        for row, name in enumerate(POOLS):
            stream, pool = values[row, :, column], entry.pools[name]
            if address.tower == "vision" and row >= 3:
                assert (
                    not pool.known and pool.top == () and np.isnan(pool.mean) and np.isnan(pool.sample).all()
                )
                continue
            numbers = np.arange(SIZE)
            assert [e.stimulus for e in pool.top] == np.lexsort((numbers, -stream))[:24].tolist()
            assert [e.stimulus for e in pool.bottom] == np.lexsort((numbers, stream))[:24].tolist()
            assert [e.value for e in pool.top] == [stream[e.stimulus] for e in pool.top]
            assert [e.value for e in pool.bottom] == [stream[e.stimulus] for e in pool.bottom]
            assert pool.n == SIZE
            assert pool.mean == pytest.approx(stream.mean(dtype=np.float64), abs=1e-6)
            assert pool.sd == pytest.approx(stream.std(dtype=np.float64), abs=1e-5)
            assert pool.sample == pytest.approx(
                stream[index.sample_numbers], abs=6e-4 * float(np.abs(stream).max())
            )


def test_a_constant_component_is_dead_and_a_moving_one_is_not(undisturbed: Path) -> None:
    index = load_index(undisturbed)
    flags = {str(address) for address in ADDRESSES if index.entry(address).dead}
    assert flags == {"vision.0.mlp.3", "language.0.mlp.5"}


def test_a_component_that_hardly_moves_beside_its_neighbours_is_dead(tmp_path: Path) -> None:
    values = known_values(64)
    values[:, :, 5] *= 1e-3
    index = built(tmp_path, KnownActivations(values), size=64)
    assert index.entry(ADDRESSES[5]).dead and not index.entry(ADDRESSES[6]).dead


def test_the_sample_is_the_same_for_all_and_drawn_by_the_seed(undisturbed: Path, tmp_path: Path) -> None:
    first, other = load_index(undisturbed), built(tmp_path, seed=1)
    assert len(first.sample_numbers) == 512 and (np.diff(first.sample_numbers) > 0).all()
    assert first.sample_numbers.tolist() != other.sample_numbers.tolist()


def test_a_build_that_stops_anywhere_goes_on_and_ends_with_the_same_bytes(
    undisturbed: Path, tmp_path: Path
) -> None:
    for stop in range(3, SIZE // CHUNK, 5):

        def fail(forwards: int, stop: int = stop) -> None:
            if forwards >= stop * CHUNK:
                raise Stopped

        folder = tmp_path / str(stop)
        with pytest.raises(Stopped):
            built(folder, KnownActivations(known_values(SIZE), fail))
        with pytest.raises(UserError, match="no finished index"):
            load_index(folder)
        again = KnownActivations(known_values(SIZE))
        built(folder, again)
        assert again.forwards == SIZE - stop // CHECKPOINT * CHECKPOINT * CHUNK
        assert_same_bytes(folder, undisturbed)


def test_a_build_that_is_killed_at_any_moment_ends_with_the_same_bytes(
    undisturbed: Path, tmp_path: Path
) -> None:
    folder, chance = tmp_path / "killed", np.random.default_rng(0)
    ended = None
    for _ in range(5):
        child = subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], cwd=CHECKOUT, stdout=-1)
        assert child.stdout is not None
        child.stdout.readline()  # imports are done
        time.sleep(chance.uniform(0.002, 0.2))
        child.send_signal(signal.SIGKILL)
        child.stdout.close()
        ended = child.wait()
        if ended == 0 or (folder / "manifest.json").is_file():
            break
    built(folder)
    assert_same_bytes(folder, undisturbed)


KILLED = """
import sys
from pathlib import Path
from tests.tools.index.test_build import built
print("ready", flush=True)
built(Path(sys.argv[1]))
"""


def test_a_finished_index_is_not_made_again(undisturbed: Path) -> None:
    source = KnownActivations(known_values(SIZE))
    built(undisturbed, source)
    assert source.forwards == 0


def test_an_index_of_other_weights_or_pictures_is_refused_when_read(undisturbed: Path) -> None:
    load_index(undisturbed, fingerprint="weights", images_fingerprint=RandomPictures(SIZE).fingerprint)
    with pytest.raises(UserError, match=r"made from other weights \(`weights`, not `others`\)"):
        load_index(undisturbed, fingerprint="others")
    with pytest.raises(UserError, match="made from other pictures"):
        load_index(undisturbed, images_fingerprint="others")


def test_an_index_of_other_pictures_is_replaced_when_built(tmp_path: Path) -> None:
    built(tmp_path, size=64)
    source = KnownActivations(known_values(128))
    index = built(tmp_path, source, size=128)
    assert source.forwards == 128 and index.manifest.stimuli == 128
    assert not (tmp_path / "building").exists()


def test_an_unfinished_build_for_other_weights_is_not_continued(tmp_path: Path) -> None:
    def fail(forwards: int) -> None:
        if forwards >= CHUNK * CHECKPOINT:
            raise Stopped

    with pytest.raises(Stopped):
        built(tmp_path, KnownActivations(known_values(SIZE), fail))
    source = KnownActivations(known_values(SIZE))
    build_index(source, EXTENT, RandomPictures(SIZE), tmp_path, fingerprint="other weights")
    assert source.forwards == SIZE


def test_a_limit_streams_stimuli_drawn_by_the_seed(tmp_path: Path) -> None:
    source = KnownActivations(known_values(SIZE))
    index = build_index(
        source,
        EXTENT,
        RandomPictures(SIZE),
        tmp_path,
        fingerprint="weights",
        components=ADDRESSES[5:8],
        limit=70,
    )
    assert source.forwards == 70 and index.components == ADDRESSES[5:8]
    assert len(index.sample_numbers) == 70 and index.sample_numbers[-1] > 70


def test_progress_is_told_from_none_to_all(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    build_index(
        KnownActivations(known_values(100)),
        EXTENT,
        RandomPictures(100),
        tmp_path,
        lambda *given: told.append(given),
        fingerprint="weights",
    )
    assert told == [("stimuli", 0, 100), ("stimuli", 64, 100), ("stimuli", 100, 100)]


def test_a_component_outside_the_index_is_refused(undisturbed: Path) -> None:
    outside = next(Extent("more", {"cross": EXTENT.towers["vision"]}).all())
    with pytest.raises(UserError, match=r"`cross\.0\.mlp\.0` is not in the index of `known`"):
        load_index(undisturbed).entry(outside)


def test_indices_of_different_targets_or_pictures_have_different_folders(tmp_path: Path) -> None:
    folders = {
        index_folder(tmp_path, target, RandomPictures(size))
        for target in ("a" * 64, "b" * 64)
        for size in (1, 2)
    }
    assert len(folders) == 4


def assert_same_bytes(folder: Path, other: Path) -> None:
    names = [*(f"{name}.npy" for name in Arrays._fields), "components.txt", "manifest.json"]
    assert sorted(os.listdir(folder)) == sorted(names)
    for name in names:
        assert (folder / name).read_bytes() == (other / name).read_bytes(), name


def test_two_builds_at_once_in_one_folder_are_refused(tmp_path: Path) -> None:
    def second(_: int) -> None:
        built(tmp_path / "index", size=64)

    with pytest.raises(UserError, match="another process is building the index"):
        built(tmp_path / "index", KnownActivations(known_values(64), second), size=64)


def test_an_index_with_a_missing_or_broken_file_says_so(tmp_path: Path) -> None:
    built(tmp_path, size=64)
    (tmp_path / "mean.npy").write_bytes(b"")
    with pytest.raises(UserError, match="broken"):
        load_index(tmp_path)


def test_an_index_of_another_version_is_made_anew(tmp_path: Path) -> None:
    built(tmp_path, size=64)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"chunk"', '"chunks"'))
    source = KnownActivations(known_values(64))
    built(tmp_path, source, size=64)
    assert source.forwards == 64


def test_a_disk_that_can_not_be_written_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="can't be written"):
        built(tmp_path / "file", size=64)


def test_a_source_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="`noise` holds no pictures"):
        built(tmp_path, KnownActivations(known_values(1)), size=0)


def test_workings_that_a_kill_left_beside_a_finished_index_are_cleared(tmp_path: Path) -> None:
    built(tmp_path, size=64)
    (tmp_path / "building").mkdir()
    built(tmp_path, size=64)
    assert not (tmp_path / "building").exists()
