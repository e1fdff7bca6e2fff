"""One contract for every generator."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from legocryst.crystal.io.table import CELL
from legocryst.generators.base import Generator, generator, generator_names, load
from legocryst.generators.columns import is_discrete
from legocryst.generators.conditions import Conditions
from legocryst.generators.network import NetworkGenerator
from legocryst.generators.variables import read, write
from legocryst.settings import TrainSettings
from legocryst.vocabulary.registry import GENERATORS

SMALL = {"epochs": 3, "batch_size": 100, "latent": 8, "hidden": 32, "width": 16, "layers": 1}
NETWORKS = [name for name in generator_names() if issubclass(GENERATORS.load(name), NetworkGenerator)]


def settings(name: str, **changes: Any) -> TrainSettings:
    return TrainSettings.model_validate({"model": name, **SMALL, **changes})


@pytest.fixture(params=generator_names())
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_same_seed_same_samples(name: str, families: pd.DataFrame) -> None:
    first, second = (generator(name).fit(families, settings(name), seed=5) for _ in range(2))
    rows = first.sample(50, seed=1)
    pd.testing.assert_frame_equal(rows, second.sample(50, seed=1))
    assert not rows.equals(first.sample(50, seed=2))
    assert list(rows.columns) == list(families.columns) and len(rows) == 50


def test_fit_leaves_the_global_randomness_alone(name: str, families: pd.DataFrame) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    generator(name).fit(families, settings(name), seed=5).sample(10, seed=0)
    assert torch.equal(before, torch.get_rng_state())


def test_saved_and_loaded_samples_are_exactly_the_same(name: str, families: pd.DataFrame, tmp_path: Path) -> None:
    fitted = generator(name).fit(families, settings(name), seed=0)
    fitted.save(tmp_path / "model.pt")
    loaded = load(tmp_path / "model.pt")
    pd.testing.assert_frame_equal(loaded.sample(40, seed=9), fitted.sample(40, seed=9))
    assert loaded.describe() == fitted.describe()


def test_samples_are_possible(name: str, varied: pd.DataFrame) -> None:
    """No index outside the group, no fixed position twice, unused sites all -1."""
    from legocryst.crystal.symmetry.wyckoff import wyckoff

    rows, table = generator(name).fit(varied, settings(name), seed=0).sample(300, seed=0), wyckoff()
    group = rows["spg"].to_numpy()
    used_before: set[tuple[Any, Any]] = set()
    for i in range(8):
        index = rows[f"wp{i}"].to_numpy()
        unused = index < 0
        assert (rows.loc[unused, [f"wp{i}", f"x{i}", f"y{i}", f"z{i}"]] == -1).all(axis=None)
        assert (rows.loc[~unused, f"x{i}"] > -0.5).all()
        assert (index < np.diff(table.first)[group]).all()
        fixed = ~unused & ~table.free[table.first[group] + index.clip(min=0)].any(axis=1)
        new = {(row, index[row]) for row in np.flatnonzero(fixed)}
        assert not new & used_before
        used_before |= new
    assert (rows["wp0"] >= 0).all() and (used_before or name == "surfaces")  # which takes general positions only


@pytest.mark.parametrize("name", NETWORKS)
def test_one_crystal_is_learnt_by_heart(name: str, one_crystal: pd.DataFrame) -> None:
    """Its group and positions, and its cell to half a percent; sites may come in another order."""
    slow = {"epochs": 100, "learning_rate": 0.01, "batch_size": 20} if name == "transformer" else {}
    rows = generator(name).fit(one_crystal, settings(name, **slow), seed=0).sample(30, seed=0)
    (result, kept, _), (expected, _, _) = read(rows), read(one_crystal.head(30))
    assert len(kept) == 30
    assert (result.group == expected.group).all() and (result.position == expected.position).all()
    assert np.abs(result.point - expected.point).max() < 1e-6
    assert np.allclose(rows[list(CELL)], one_crystal.head(30)[list(CELL)], rtol=0.005)


@pytest.mark.parametrize("name", ["vae", "cvae", "transformer"])
def test_three_crystals_are_learnt_by_heart(name: str, families: pd.DataFrame) -> None:
    chosen = settings(name, epochs=40, batch_size=50, hidden=64, width=32)
    rows = generator(name).fit(families, chosen, seed=0).sample(200, seed=0, temperature=0.1)
    if name != "vae":  # sites in their own order
        candidates, _, _ = read(families)
        families = write(candidates, list(families.columns))
    discrete = [c for c in families.columns if is_discrete(c)]
    known = families.groupby(discrete)[["a", "x0"]].mean()
    joined = rows.join(known, on=discrete, rsuffix="_known")
    assert joined["a_known"].notna().mean() > 0.6
    assert (joined["a"] - joined["a_known"]).abs().median() < 0.1
    assert rows["spg"].nunique() == 3


@pytest.mark.parametrize("name", NETWORKS)
def test_stopped_and_resumed_training_equals_one_that_ran_through(
    name: str, families: pd.DataFrame, tmp_path: Path
) -> None:
    whole = generator(name).fit(families, settings(name), seed=2)
    seen: list[Mapping[str, Any]] = []
    stopped = generator(name).fit(
        families,
        settings(name),
        seed=2,
        progress=seen.append,
        should_stop=lambda: len(seen) == 2,
        checkpoint=tmp_path / "c.pt",
    )
    assert [numbers["epoch"] for numbers in seen] == [1, 2]
    assert len(stopped.sample(5, seed=0)) == 5
    resumed = generator(name).fit(families, settings(name), seed=2, progress=seen.append, checkpoint=tmp_path / "c.pt")
    assert [numbers["epoch"] for numbers in seen] == [1, 2, 3]
    pd.testing.assert_frame_equal(resumed.sample(40, seed=0), whole.sample(40, seed=0))


def test_checkpoint_of_another_table_is_refused(families: pd.DataFrame, tmp_path: Path) -> None:
    generator("vae").fit(families, settings("vae"), checkpoint=tmp_path / "c.pt")
    with pytest.raises(ValueError, match="another table or other settings"):
        generator("vae").fit(families.head(300), settings("vae"), checkpoint=tmp_path / "c.pt")


def test_progress_counts_epochs_and_time(name: str, families: pd.DataFrame) -> None:
    seen: list[Mapping[str, Any]] = []
    generator(name).fit(families, settings(name), progress=seen.append)
    assert seen[-1]["epoch"] == seen[-1]["epochs"] == len(seen)
    assert seen[-1]["seconds_left"] == 0
    if name in NETWORKS:
        assert {"loss", "held_out"} <= set(seen[0]) and all(np.isfinite(list(n.values())).all() for n in seen)


def test_too_small_or_broken_tables_get_one_sentence(name: str, families: pd.DataFrame) -> None:
    for bad, message in (
        (families.head(0), "0 row"),
        (families.head(GENERATORS[name].fewest_rows - 1), "row"),
        (families.drop(columns="alpha"), "no column alpha"),
    ):
        with pytest.raises(ValueError, match=message):
            generator(name).fit(bad, settings(name))
    with pytest.raises(ValueError, match="fit it first"):
        generator(name).sample(3, seed=0)
    with pytest.raises(ValueError, match="fit it first"):
        generator(name).save(Path("never.pt"))


def test_extra_columns_are_left_alone(name: str, families: pd.DataFrame) -> None:
    rows = generator(name).fit(families.assign(label=1, energy=-8.0), settings(name)).sample(4, seed=0)
    assert list(rows.columns) == list(families.columns)


def test_conditions_are_met_or_refused(name: str, families: pd.DataFrame) -> None:
    fitted = generator(name).fit(families, settings(name), seed=0)
    group = 229 if name == "surfaces" else int(families["spg"].iloc[0])
    conditions = Conditions(groups=frozenset({group}))
    if fitted.spec.conditional:
        assert (fitted.sample(20, seed=0, conditions=conditions)["spg"] == group).all()
        refusal = "knows no energies" if fitted.spec.informed else "cannot be asked for low energies"
        with pytest.raises(ValueError, match=refusal):
            fitted.sample(20, seed=0, conditions=Conditions(lowest=0.5))
    else:
        with pytest.raises(ValueError, match=f"the model {name} cannot be asked for space groups"):
            fitted.sample(20, seed=0, conditions=conditions)


def test_specification_says_what_the_class_does(name: str) -> None:
    kind, spec = GENERATORS.load(name), GENERATORS[name]
    assert issubclass(kind, Generator) and kind.spec.name == name
    assert spec.refines == (kind.refine is not Generator.refine)
    assert not spec.informed or spec.conditional
    assert spec.learns or spec.methods, "the methods paragraph needs a sentence on rows that were drawn from limits"
    options: dict[str, Any] = {"featurizer": None, "volume_per_atom": (6.0, 12.0), "bond": 1.42}
    assert not generator(name, **{option: options[option] for option in spec.options}).fitted


def test_unknown_names_and_files(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="choose one of transformer, cvae, vae, gan, random"):
        generator("diffusion")
    with pytest.raises(ValueError, match="there is no model"):
        load(tmp_path / "none.pt")
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(ValueError, match="not a model file"):
        load(tmp_path / "text.pt")
    torch.save({"model": "other"}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="not a model file"):
        load(tmp_path / "other.pt")
