"""Tight binding: against a sum over pymatgen's neighbours, against textbook bands, and where it does not hold."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from legocryst.crystal.batch import START_SECONDS
from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.structures import from_structure
from legocryst.crystal.io.table import decode
from legocryst.crystal.symmetry.primitive import primitive_atoms
from legocryst.electronic.bands import NoBands, bands, gaps
from legocryst.electronic.brillouin import primitive
from legocryst.electronic.tight_binding import as_crystal, elements, hamiltonian, normals
from legocryst.environment.target import Orbitals
from legocryst.environment.target_library import target
from legocryst.infra.run_context import RunContext
from legocryst.settings import BandSettings
from legocryst.stages.curate import shipped

TARGET = target("sp2-carbon")
CUTOFF = TARGET.bond_window[1]


def orbitals(**changes: float) -> Orbitals:
    assert TARGET.orbitals is not None
    return TARGET.orbitals.model_copy(update=changes)


def seed(name: str) -> Crystals:
    table = shipped("sp2-carbon")
    return decode(table[table["name"] == name], max_atoms=1000, element=6).crystals


def curved() -> Crystals:
    """The net bod with four atoms 15.9 degrees off planar."""
    right = np.pi / 2
    sites = [(6, 4, (0.351106, 0.0, 0.0)), (6, 5, (0.165208, 0.165208, 0.165208))]
    return Crystals.build([215], [[4.761508] * 3 + [right] * 3], [sites])


def graphene() -> Crystals:
    cell = Lattice.hexagonal(2.46, 15.0)
    return from_structure(Structure(cell, ["C", "C"], [[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.5]]))


def with_spacing(spacing: float) -> Crystals:
    """Two honeycomb layers in the stacking AB, `spacing` angstrom apart."""
    points = [[0, 0, 0.25], [1 / 3, 2 / 3, 0.25], [0, 0, 0.75], [2 / 3, 1 / 3, 0.75]]
    return from_structure(Structure(Lattice.hexagonal(2.46, 2 * spacing), ["C"] * 4, points))


def test_graphene_with_nearest_neighbours_has_the_bands_of_wallace() -> None:
    cell = primitive(graphene())
    only = orbitals(reach=1.6, r_pi=2.46 / np.sqrt(3))
    path = cell.path(0.2)
    result = hamiltonian(cell, only, cutoff=CUTOFF).levels(path.kpoints)
    k = 2 * np.pi * path.kpoints[:, :2]
    f = np.abs(1 + np.exp(1j * k[:, 0]) + np.exp(1j * (k[:, 0] + k[:, 1])))  # of a cell with a 60 degree basis
    g = np.abs(1 + np.exp(1j * k[:, 0]) + np.exp(-1j * k[:, 1]))
    wallace = f if np.ptp(f - result[:, 1] / 2.7) < np.ptp(g - result[:, 1] / 2.7) else g
    np.testing.assert_allclose(result, 2.7 * np.column_stack([-wallace, wallace]), atol=1e-6)


def test_graphene_is_a_semimetal_whose_bands_touch_at_k() -> None:
    result = bands(graphene(), TARGET)
    assert result.gap.band_class == "semimetal" and result.gap.gap < 1e-4 and result.gap.direct
    at = next(place for place, name in result.path.ticks if name == "K")
    near = np.abs(result.path.distance - at).argmin()
    assert np.abs(result.levels[near]).max() < 1e-4
    assert np.sort(np.abs(result.levels), axis=0)[10].min() > 0.05  # and nowhere else


@pytest.mark.parametrize("name", ["hcb", "bpg", "srs", "acs-g"])
def test_matrix_is_the_sum_over_neighbours_that_pymatgen_finds(name: str) -> None:
    cell = primitive(seed(name))
    structure = Structure(cell.lattice, cell.species.tolist(), cell.fractional)
    normal = []
    for site in structure:
        ends = [n.coords - site.coords for n in structure.get_neighbors(site, CUTOFF)]
        a, b, c = (end / np.linalg.norm(end) for end in ends)
        across = np.cross(a, b) + np.cross(b, c) + np.cross(c, a)
        normal.append(across / np.linalg.norm(across))
    k = np.array([0.13, -0.21, 0.37])
    expected = np.zeros((len(structure),) * 2, complex)
    for i, site in enumerate(structure):
        for near in structure.get_neighbors(site, orbitals().reach):
            u = (near.coords - site.coords) / near.nn_distance
            pi, sigma = elements(np.array([near.nn_distance]), orbitals())
            n, m = normal[i], normal[near.index]
            value = (n @ m - (n @ u) * (m @ u)) * pi[0] + (n @ u) * (m @ u) * sigma[0]
            expected[i, near.index] += value * np.exp(2j * np.pi * (k @ near.image))
    result = hamiltonian(cell, orbitals(), cutoff=CUTOFF)
    # an orbital's sign is free, and so is its cell: levels are compared
    np.testing.assert_allclose(result.levels(k[None])[0], np.linalg.eigvalsh(expected), atol=1e-8)


def test_larger_cell_has_the_same_levels_folded() -> None:
    cell = primitive(seed("bpf"))
    structure = Structure(cell.lattice, cell.species.tolist(), cell.fractional)
    double = structure * (2, 1, 1)
    large = type(cell)(
        double.lattice.matrix, double.frac_coords, np.array(double.atomic_numbers), cell.special, cell.branches
    )
    k = np.array([[0.1, 0.2, 0.3], [0.6, 0.2, 0.3]])
    small = np.sort(hamiltonian(cell, orbitals(), cutoff=CUTOFF).levels(k).ravel())
    np.testing.assert_allclose(
        hamiltonian(large, orbitals(), cutoff=CUTOFF).levels(np.array([[0.2, 0.2, 0.3]]))[0], small, atol=1e-8
    )


def test_distances_enter_as_published() -> None:
    pi, sigma = elements(np.array([1.418, 3.349]), orbitals(r_cut=50.0))
    assert pi[0] == pytest.approx(-2.7) and sigma[1] == pytest.approx(0.48)
    assert pi[1] == pytest.approx(-2.7 * np.exp(-2.218 * (3.349 - 1.418)))
    n, n_c, r_0, r_c = 2, 6.5, 1.536329, 2.18  # Xu et al. (1992), V_pp sigma 5.5 eV at r_0
    scale = (r_0 / 1.42) ** n * np.exp(n * ((r_0 / r_c) ** n_c - (1.42 / r_c) ** n_c))
    assert elements(np.array([1.42]), orbitals(r_cut=50.0))[1][0] == pytest.approx(5.5 * scale, rel=2e-3)


def test_normals_of_flat_and_of_curved_atoms() -> None:
    normal, number, degrees = normals(graphene(), cutoff=CUTOFF)
    np.testing.assert_allclose(np.abs(normal[:, 2]), 1)
    assert set(number) == {3} and degrees.max() < 1e-4
    _, number, degrees = normals(as_crystal(primitive(curved())), cutoff=CUTOFF)
    assert set(number) == {3} and 15 < degrees.max() < 17


def test_graphite_is_a_semimetal_and_layers_must_not_be_too_near() -> None:
    result = gaps(Crystals.concatenate([with_spacing(3.35), with_spacing(2.5)]), TARGET)
    assert result[0]["band_class"] == "semimetal" and result[0]["gap"] == 0
    assert result[1]["band_reason"] == "its parts are nearer than 2.9 angstrom to each other"


def test_gap_does_not_depend_on_how_the_crystal_is_written() -> None:
    crystal = seed("lig")
    structure = Structure.from_sites(
        Structure(crystal.lattice[0], ["C"] * int(crystal.atom_count[0]), crystal.atoms().fractional).sites
    )
    structure.translate_sites(range(len(structure)), [0.1, 0.2, 0.3])
    again = from_structure(structure * (1, 2, 1))
    one, other = gaps(Crystals.concatenate([crystal, again]), TARGET)
    assert one["band_class"] == other["band_class"] == "semiconductor"
    assert one["gap"] == pytest.approx(other["gap"], abs=1e-3) and one["gap"] > 0.5


def test_crystals_that_are_refused_for_their_size_take_no_time() -> None:
    """They had been counted as if they were computed: some minutes left were told as forty."""
    crystals = decode(shipped("sp2-carbon"), max_atoms=1000, element=6).crystals
    large = crystals.take([int(primitive_atoms(crystals).argmax())])
    seen: list[tuple[int, int, int]] = []

    def note(done: int, total: int, *, seconds_left: int) -> None:
        seen.append((done, total, seconds_left))

    batch = Crystals.concatenate([large, seed("srs"), large])
    rows = gaps(batch, TARGET, BandSettings(max_atoms=64), RunContext(progress=note))
    reason = "more than 64 atoms in the primitive cell"
    assert [row["band_reason"] for row in rows] == [reason, "", reason]
    assert seen == [(1, 3, round(START_SECONDS)), (2, 3, round(START_SECONDS)), (3, 3, 0)]  # the two are one crystal


def test_each_crystal_without_bands_says_why() -> None:
    boron = Structure(Lattice.hexagonal(2.5, 6.7), ["B", "N"], [[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.5]])
    batch = [curved(), target("sp3-carbon").reference.crystals(), from_structure(boron), seed("srs")]
    results = [row["band_reason"] for row in gaps(Crystals.concatenate(batch), TARGET, BandSettings(max_atoms=11))]
    assert results == [
        "an atom's bonds are more than 15 degrees off one plane",
        "an atom has 4 bonds, and the model needs 3",
        "it holds B, N, and the model is one of C",
        "",
    ]
    with pytest.raises(NoBands, match="more than 2 atoms in the primitive cell"):
        bands(seed("srs"), TARGET, BandSettings(max_atoms=2))
    with pytest.raises(NoBands, match="there is no tight-binding model for the target sp3-carbon"):
        bands(target("sp3-carbon").reference.crystals(), target("sp3-carbon"))
