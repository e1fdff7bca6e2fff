import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.mixture import BayesianGaussianMixture

from legocryst.generators.columns import check_table
from legocryst.generators.features import LIMIT, Featurizer
from legocryst.settings import FeatureSettings

Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture(scope="module")
def features(varied: pd.DataFrame) -> Featurizer:
    return Featurizer(FeatureSettings(fit_rows=100, components=5)).fit(varied, seed=1)


def test_round_trip(features: Featurizer, varied: pd.DataFrame) -> None:
    matrix = features.transform(varied)
    assert matrix.shape == (len(varied), features.width) and matrix.dtype == np.float32
    back = features.reverse_transform(matrix)
    for name in map(str, varied.columns):
        error = (back[name] - varied[name]).abs().max()
        assert error == 0 if name.startswith(("spg", "wp")) else error < (1e-4 if name in "abc" else 1e-6), name


@pytest.mark.parametrize("seed", range(8))
def test_any_table_comes_back(varied: pd.DataFrame, seed: int) -> None:
    """Whatever the distributions: special values, clusters of all widths, far outliers, one value only."""
    rng = np.random.default_rng(seed)
    table = varied.copy()
    n = len(table)
    shapes = {
        "a": lambda: rng.lognormal(1.5, rng.uniform(0.1, 1.5), n),
        "b": lambda: np.where(rng.random(n) < 0.02, rng.uniform(100, 500, n), rng.normal(3, 1e-4, n)),
        "c": lambda: rng.choice(rng.uniform(2, 60, 40), n),
        "alpha": lambda: np.where(rng.random(n) < 0.01, rng.uniform(0.5, 2.6, n), np.pi / 2),
        "beta": lambda: np.full(n, rng.uniform(1, 2)),
        "x0": lambda: np.where(rng.random(n) < 0.8, rng.integers(0, 24, n) / 24, rng.random(n)),
        "y0": lambda: rng.random(n) ** 6,
    }
    for name, draw in shapes.items():
        table[name] = draw()
    settings = FeatureSettings(
        components=int(rng.integers(1, 8)), fit_rows=int(rng.integers(100, 400)), weight_threshold=rng.uniform(0, 0.1)
    )
    features = Featurizer(settings).fit(table, seed=seed)
    matrix = features.transform(table)
    assert np.abs(matrix[:, features.scalars]).max() <= np.float32(LIMIT)
    back, expected = features.reverse_transform(matrix), check_table(table)
    for block in features.blocks:
        error = (back[block.name] - expected[block.name]).abs().to_numpy()
        limit = 0 if block.discrete else 1e-4 if block.name in "abc" else 1e-6
        assert error.max() <= limit, (block.name, error.max())
        if not block.discrete:  # the bound that the module states
            part, scalar = block.choose(expected[block.name].to_numpy())
            assert (np.abs(scalar) <= LIMIT).all() and (error <= 2e-7 * block.std[part] + 1e-8).all()


def test_read_from_its_description(features: Featurizer, varied: pd.DataFrame) -> None:
    again = Featurizer.from_columns(features.columns, features.settings)
    assert again.to_dict() == features.to_dict()
    assert np.array_equal(again.transform(varied), features.transform(varied))


def test_a_row_explained(features: Featurizer, varied: pd.DataFrame) -> None:
    row = varied.iloc[[7]]
    described = features.explain(row).set_index("column")
    matrix = features.transform(row)[0]
    assert list(described.index) == list(varied.columns)
    for block in features.blocks:
        line = described.loc[block.name]
        assert line["value"] == row[block.name].iloc[0]
        assert matrix[block.onehot].argmax() + 1 == line["part"] <= line["parts"] == len(block.value)
        if block.discrete:
            assert line["back"] == line["value"] and np.isnan(line["scalar"])
        else:
            assert line["back"] == pytest.approx(line["mean"] + 4 * line["std"] * line["scalar"], abs=1e-12)
            assert line["back"] == pytest.approx(line["value"], abs=1e-6)


def test_unused_sites_come_back_as_exactly_minus_one(features: Featurizer, varied: pd.DataFrame) -> None:
    back = features.reverse_transform(features.transform(varied))
    for i in range(8):
        unused = varied[f"wp{i}"] < 0
        assert (back.loc[unused, [f"wp{i}", f"x{i}", f"y{i}", f"z{i}"]] == -1).all(axis=None)
        assert (back.loc[~unused, [f"x{i}", f"y{i}", f"z{i}"]] > -0.5).all(axis=None)


def test_unused_sites_do_not_blur_the_mixture(features: Featurizer, varied: pd.DataFrame) -> None:
    block = next(b for b in features.blocks if b.name == "x3")
    assert block.has_unused and block.weight[0] == pytest.approx((varied["wp3"] < 0).mean())
    assert (block.value[1:] > 0).all()


def test_one_hots_are_one_hot(features: Featurizer, varied: pd.DataFrame) -> None:
    matrix = features.transform(varied)
    for block in features.blocks:
        assert (matrix[:, block.onehot].sum(axis=1) == 1).all()
    assert np.abs(matrix[:, features.scalars]).max() <= np.float32(LIMIT)


def test_same_seed_same_features(features: Featurizer, varied: pd.DataFrame) -> None:
    again = Featurizer(features.settings).fit(varied, seed=1)
    assert again.to_dict() == features.to_dict()
    other = Featurizer(features.settings).fit(varied, seed=2)
    assert other.to_dict() != features.to_dict()


def test_save_and_load(features: Featurizer, varied: pd.DataFrame, tmp_path: Path) -> None:
    features.save(tmp_path / "features.json")
    loaded = Featurizer.load(tmp_path / "features.json")
    assert np.array_equal(loaded.transform(varied), features.transform(varied))
    pd.testing.assert_frame_equal(loaded.columns, features.columns)


def test_column_description(features: Featurizer, varied: pd.DataFrame) -> None:
    described = features.columns
    assert list(described["name"]) == list(varied.columns)
    assert described["width"].sum() == features.width
    for kind, components in zip(described["kind"], described["components"], strict=True):
        parts = json.loads(components)
        assert sum(part["weight"] for part in parts) == pytest.approx(1)
        assert all(("value" in part) == (kind == "discrete") for part in parts)


def test_mixture_is_the_one_of_scikit_learn() -> None:
    """An independent fit of the same two humps finds the same means."""
    rng = np.random.default_rng(0)
    table = two_humps(rng)
    block = next(b for b in Featurizer(FeatureSettings(components=2)).fit(table).blocks if b.name == "a")
    mixture = BayesianGaussianMixture(n_components=2, weight_concentration_prior=0.001, random_state=5)
    reference = mixture.fit(table[["a"]])
    assert np.allclose(block.value, np.sort(reference.means_.ravel()), atol=0.01)
    assert np.allclose(block.std**2, reference.covariances_.ravel(), rtol=0.05)
    assert np.allclose(block.value, [3, 9], atol=0.05) and (block.std < 0.4).all()


def two_humps(rng: np.random.Generator, n: int = 600) -> pd.DataFrame:
    a = rng.normal(np.where(np.arange(n) % 2, 3.0, 9.0), 0.2)
    columns = {"spg": 1, "a": a, "b": 3.0, "c": 4.0, "alpha": 1.6, "beta": 1.6, "gamma": 1.6}
    return pd.DataFrame(columns | {"wp0": 0, "x0": 0.1, "y0": 0.2, "z0": 0.3})


def test_constant_columns_and_element_columns() -> None:
    table = two_humps(np.random.default_rng(0)).assign(el0=np.arange(600) % 2 + 6)
    features = Featurizer().fit(table)
    back = features.reverse_transform(features.transform(table))
    pd.testing.assert_frame_equal(back.drop(columns="a"), check_table(table).drop(columns="a"), check_dtype=False)
    assert next(b for b in features.blocks if b.name == "b").width == 2


def test_far_values_get_a_component_of_their_own() -> None:
    table = two_humps(np.random.default_rng(0))
    table.loc[:2, "a"] = [500.0, 510.0, 530.0]
    features = Featurizer(FeatureSettings(fit_rows=100)).fit(table, seed=0)
    block = next(b for b in features.blocks if b.name == "a")
    assert block.outliers == 3 == features.columns.set_index("name")["outliers"]["a"]
    assert block.value[-1] == 515 and block.weight[-1] == 3 / 600 and block.weight.sum() == pytest.approx(1)
    assert (block.value[:-1] < 10).all()
    back = features.reverse_transform(features.transform(table))
    assert np.allclose(back["a"], table["a"], atol=1e-5)


def test_value_outside_the_fitted_table_is_clipped() -> None:
    table = two_humps(np.random.default_rng(0))
    features = Featurizer(FeatureSettings(fit_rows=100)).fit(table, seed=0)
    back = features.reverse_transform(features.transform(table.assign(a=500.0)))
    assert (back["a"] < 20).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.head(0), "0 row"),
        (lambda t: t.head(1), "1 row"),
        (lambda t: t.drop(columns=["y2", "alpha"]), "no column alpha, y2"),
        (lambda t: t.assign(b=np.nan), "column b"),
        (lambda t: t.assign(spg=231), "space group 231"),
        (lambda t: t.assign(spg=1, wp0=5), "no Wyckoff index 5"),
        (lambda t: t.drop(columns=[c for c in t if c[-1].isdigit()]), "no column wp0"),
    ],
)
def test_bad_tables_get_one_clear_sentence(varied: pd.DataFrame, change: Change, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Featurizer().fit(change(varied))


def test_unseen_category_is_refused(features: Featurizer, varied: pd.DataFrame) -> None:
    unseen = next(g for g in range(1, 231) if g not in set(varied["spg"]))
    row = varied.head(1).assign(spg=unseen, wp0=0, **{f"wp{i}": -1 for i in range(1, 8)})
    with pytest.raises(ValueError, match=f"spg holds {unseen}"):
        features.transform(row)
