"""Gap, class, Fermi level and density of states against a chain whose bands are known."""

import numpy as np
import pytest

from legocryst.electronic.gap import density_of_states, fermi_level, gap
from legocryst.settings import LevelSettings

STEP = np.array([1 / 7, 1.0, 1.0])
MESH = np.column_stack([np.arange(-3, 4) / 7, np.zeros(7), np.zeros(7)])


def chain(one: float, other: float, shift: float = 0.0):  # type: ignore[no-untyped-def]
    """Bands of a chain with alternating bonds; `shift` moves them apart in k, as overlapping bands are."""

    def levels(kpoints: np.ndarray) -> np.ndarray:
        width = np.sqrt(one**2 + other**2 + 2 * one * other * np.cos(2 * np.pi * kpoints[:, 0]))
        tilt = shift * np.cos(2 * np.pi * kpoints[:, 0])
        return np.sort(np.column_stack([-width + tilt, width + tilt]), axis=1)

    return levels


@pytest.mark.parametrize(
    ("one", "other", "shift", "electrons", "expected", "kind"),
    [
        (1.0, 1.5, 0.0, 2, 1.0, "semiconductor"),
        (1.0, 1.02, 0.0, 2, 0.04, "semimetal"),
        (1.0, 1.0, 0.0, 2, 0.0, "semimetal"),
        (1.0, 1.5, 2.0, 2, 0.0, "metal"),
        (1.0, 1.5, 0.0, 1, 0.0, "metal"),
    ],
)
def test_gap_of_a_chain_off_the_mesh(
    one: float, other: float, shift: float, electrons: int, expected: float, kind: str
) -> None:
    levels = chain(one, other, shift)
    result = gap(levels, MESH, levels(MESH), electrons, STEP, LevelSettings(), rounds=10)
    assert result.gap == pytest.approx(expected, abs=2e-3) and result.band_class == kind
    if expected > 0.01:
        assert abs(result.top_at[0]) == pytest.approx(0.5, abs=1e-3)  # which no point of the mesh is
        assert result.direct


def test_density_of_states_holds_all_states_and_the_fermi_level_half_of_them() -> None:
    levels = chain(1.0, 1.5, 0.7)
    kpoints = np.column_stack([np.arange(200) / 200, np.zeros((200, 2))])
    energies, weights = levels(kpoints), np.full(200, 1 / 200)
    at = np.linspace(-6, 6, 2001)
    dos = density_of_states(energies, weights, at, width=0.1)
    fermi = fermi_level(energies, weights, 2, width=0.1)
    assert np.trapezoid(dos, at) == pytest.approx(4, abs=1e-3)
    assert np.trapezoid(dos[at < fermi], at[at < fermi]) == pytest.approx(2, abs=0.02)
