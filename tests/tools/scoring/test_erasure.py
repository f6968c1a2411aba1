"""Erasure: what is erased can't be read by any linear probe, and hardly anything else is touched."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score

from tools.scoring.erasure import balanced, eraser, probe

WIDTH, N = 12, 600


def mixed(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two concepts in directions of a correlated cloud."""
    random = np.random.default_rng(seed)
    labels = random.random((N, 2)) < (0.5, 0.2)
    cloud = random.normal(size=(N, WIDTH)) @ random.normal(size=(WIDTH, WIDTH))
    return cloud + labels @ random.normal(size=(2, WIDTH)) * 4, labels


def test_a_probe_reads_what_is_there_and_not_what_is_not() -> None:
    x, labels = mixed()
    even = np.ones((1, N // 2))
    found = probe(x[: N // 2], labels[: N // 2])
    held = slice(N // 2, None)
    assert balanced(found.holds(x[held]), labels[held], even)[0] > 0.85
    other = np.random.default_rng(1).permutation(labels)
    blind = probe(x[: N // 2], other[: N // 2])
    assert balanced(blind.holds(x[held]), other[held], even)[0] == pytest.approx(0.5, abs=0.1)


def test_balanced_accuracy_is_scikit_learns() -> None:
    random = np.random.default_rng(0)
    said, labels = random.random((N, 1)) < 0.4, random.random((N, 1)) < 0.2
    expected = balanced_accuracy_score(labels[:, 0], said[:, 0])
    assert balanced(said, labels, np.ones((1, N)))[0] == pytest.approx(expected)


def test_nothing_linear_is_left_of_what_was_erased() -> None:
    x, labels = mixed()
    clean = x - (x - x.mean(axis=0)) @ eraser(x, labels).T
    centered = clean - clean.mean(axis=0)
    assert np.abs(centered.T @ (labels - labels.mean(axis=0))).max() / N < 1e-6
    for column in labels.T:
        read = LogisticRegression(C=100.0, max_iter=2000).fit(clean, column).predict(clean)
        assert balanced_accuracy_score(column, read) < 0.53


def test_it_changes_as_few_directions_as_there_are_concepts_and_twice_is_once() -> None:
    x, labels = mixed()
    matrix = eraser(x, labels)
    assert np.linalg.matrix_rank(matrix, tol=1e-6) == 2
    assert matrix @ matrix == pytest.approx(matrix, abs=1e-8)


def test_a_concept_that_is_always_or_never_there_changes_nothing() -> None:
    x, _ = mixed()
    labels = np.zeros((N, 1), dtype=bool)
    assert np.abs(eraser(x, labels)).max() == 0
    assert not probe(x, labels).holds(x).any()


def test_of_tokens_it_takes_the_concept_and_moves_them_less_than_the_map_for_their_means() -> None:
    random = np.random.default_rng(3)
    x, labels = mixed()
    around = random.normal(size=(N, 20, WIDTH)) * np.linspace(0.1, 30, WIDTH)
    tokens = x[:, None] + around - around.mean(axis=1, keepdims=True)
    flat = tokens.reshape(-1, WIDTH) - x.mean(axis=0)
    own = eraser(x, labels, flat.T @ flat / len(flat))
    of_means = eraser(x, labels)
    left = (x - x.mean(axis=0)) - (x - x.mean(axis=0)) @ own.T
    assert np.abs(left.T @ (labels - labels.mean(axis=0))).max() / N < 1e-6
    assert np.square(flat @ own.T).mean() < np.square(flat @ of_means.T).mean()


def test_where_all_rows_are_alike_nothing_is_read_and_nothing_erased() -> None:
    _, labels = mixed()
    same = np.tile(np.linspace(0, 1, WIDTH), (N, 1))
    said = probe(same, labels).holds(same)
    assert balanced(said, labels, np.ones((1, N)))[0] == 0.5
    assert np.abs((same - same.mean(axis=0)) @ eraser(same, labels).T).max() < 1e-6
