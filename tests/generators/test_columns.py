import pandas as pd
import pytest

from legocryst.generators.columns import check_table, clear_unused, crystal_columns, site_count, site_of


def test_columns_in_method_order(families: pd.DataFrame) -> None:
    assert crystal_columns(families.columns) == list(families.columns)
    assert site_count(families.columns) == 8
    with_elements = crystal_columns(["el0", "wp0"])
    assert with_elements == ["spg", "a", "b", "c", "alpha", "beta", "gamma", "el0", "wp0", "x0", "y0", "z0"]


@pytest.mark.parametrize(("name", "site"), [("x3", 3), ("wp0", 0), ("el7", 7), ("alpha", None), ("spg", None)])
def test_site_of(name: str, site: int | None) -> None:
    assert site_of(name) == site


def test_almost_unused_sites_become_exactly_unused(families: pd.DataFrame) -> None:
    """As in tables that other programs made: wp -1 with coordinates near -1."""
    noisy = families.assign(x7=-0.9997, wp7=-1)
    assert (check_table(noisy)["x7"] == -1).all() and (noisy["x7"] == -0.9997).all()
    assert (clear_unused(noisy)["x7"] == -1).all()
