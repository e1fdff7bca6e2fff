"""A target of an atom: graphite and diamond give the shipped ones back; how a crystal is written does not matter."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.structures import from_structure, to_structure
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.environment.derive import derive, edited, sites
from legocryst.environment.descriptors import reference
from legocryst.environment.target import Target, VertexFigure
from legocryst.environment.target_library import target
from legocryst.environment.validity import judge

LENGTHS = ("bond", "bond_window", "gap", "second_shell", "published_cutoff")


def silicon() -> Crystals:
    diamond = target("sp3-carbon").reference.crystals()
    cell = np.r_[np.full(3, 5.431), np.full(3, np.pi / 2)][None]
    return replace(diamond, cell=cell, species=np.array([14]))


def boron_nitride() -> Crystals:
    structure = Structure(Lattice.hexagonal(2.504, 6.66), ["B", "N"], [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.25]])
    return from_structure(structure)


@pytest.mark.parametrize("name", ["sp2-carbon", "sp3-carbon"])
def test_the_shipped_targets_come_back(name: str) -> None:
    shipped = target(name)
    made = derive(shipped.reference.crystals(), 1, name="mine")
    assert (made.element, made.coordination) == (shipped.element, shipped.coordination)
    for field in LENGTHS:
        assert np.allclose(getattr(made, field), getattr(shipped, field), atol=0.05), field
    assert made.min_angle == pytest.approx(shipped.min_angle, abs=5)
    assert made.start_volume == pytest.approx(shipped.start_volume, rel=0.05)
    assert np.allclose(made.volume_per_atom, shipped.volume_per_atom, rtol=0.2)
    assert made.descriptor.r_cut == pytest.approx(shipped.descriptor.r_cut, abs=0.05)
    assert made.energy_reference == "sp2-carbon" and made.orbitals == shipped.orbitals
    assert judge(made.reference.crystals(), made).valid.all()


@pytest.mark.parametrize("name", ["sp2-carbon", "sp3-carbon"])
def test_rotated_supercells_give_the_same_numbers(name: str) -> None:
    crystal = target(name).reference.crystals()
    first, rng = derive(crystal, 1, name="mine", reference="it"), np.random.default_rng(1)
    for _ in range(3):
        structure = to_structure(crystal)
        structure.make_supercell(rng.permutation([1, 2, 3]).tolist())
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        turned = Structure(structure.lattice.matrix @ turn, structure.species, structure.frac_coords)
        again = derive(from_structure(turned), 1, name="mine", reference="it")
        assert again.model_dump(exclude={"reference"}) == first.model_dump(exclude={"reference"})
        assert np.allclose(reference(again), reference(first), atol=1e-5)


def test_a_sheet_in_vacuum_is_like_graphite() -> None:
    graphene = Structure(Lattice.hexagonal(2.46, 20.0), ["C", "C"], [[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.5]])
    made = derive(from_structure(graphene), 1, name="sheet")
    graphite = derive(target("sp2-carbon").reference.crystals(), 1, name="sheet")
    assert made.start_volume == pytest.approx(graphite.start_volume, rel=0.05)
    assert made.bond_window == graphite.bond_window


def test_another_element_scales_with_its_bonds() -> None:
    made, carbon = derive(silicon(), 1, name="si"), derive(target("sp3-carbon").reference.crystals(), 1, name="c")
    scale = made.bond / carbon.bond
    assert made.bond == pytest.approx(2.352, abs=1e-3) and made.element == "Si" and made.coordination == 4
    for field in LENGTHS:
        assert np.allclose(np.divide(getattr(made, field), getattr(carbon, field)), scale, rtol=2e-3), field
    assert made.energy_reference == ""


def test_the_chosen_site_comes_first() -> None:
    crystal = target("sp2-carbon").reference.crystals()
    second = derive(crystal, 2, name="mine")
    assert [site.letter for site in second.reference.sites] == ["b", "c"]
    assert [site.coordination for site in sites(crystal)] == [3, 3]
    assert np.allclose(sites(crystal)[1].distances[:4], [1.4203, 1.4203, 1.4203, 2.46], atol=1e-3)


@pytest.mark.parametrize(
    ("crystal", "options", "message"),
    [
        (silicon, {"atom": 2}, "the crystal has no atom 2"),
        (silicon, {"atom": 1, "coordination": 3}, "there is no gap after number 3"),
        (boron_nitride, {"atom": 1}, r"several elements \(B, N\)"),
    ],
)
def test_what_gives_no_target_is_told(crystal, options: dict[str, Any], message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        derive(crystal(), name="mine", **options)


def test_edits_are_checked() -> None:
    made: Target = derive(silicon(), 1, name="si")
    assert edited(made, {"gap": 3.1}).gap == 3.1
    wrong: dict[str, dict[str, Any]] = {
        "must be ordered": {"gap": 1.0},
        "no 'colour' that can be changed": {"colour": 1},
        "has not 5 bonds": {"coordination": 5},
        "element is that of the atom": {"element": "Ge"},
    }
    for message, change in wrong.items():
        with pytest.raises(ValueError, match=message):
            edited(made, change)


@pytest.mark.parametrize(("name", "limit"), [("sp2-carbon", 0.15), ("sp3-carbon", 0.15)])
def test_the_shape_of_the_atom_is_the_targets(name: str, limit: float) -> None:
    made = derive(target(name).reference.crystals(), 1, name="mine")
    assert made.vertex_figure is not None and made.vertex_figure.limit == limit
    assert len(made.vertex_figure.directions) == made.coordination


def test_octahedra_may_be_more_distorted_than_other_shapes() -> None:
    polonium = Crystals.build([221], [[3.35] * 3 + [np.pi / 2] * 3], [[(84, _letter(221, "a"), (0.0, 0.0, 0.0))]])
    made = derive(polonium, 1, name="mine")
    assert made.vertex_figure is not None and made.vertex_figure.limit == 0.28
    assert judge(polonium, made).valid.all()


def _letter(group: int, letter: str) -> int:
    table = wyckoff()
    return list(table.letter[list(table.positions(group))]).index(letter)


def test_a_square_target_refuses_tetrahedra() -> None:
    """Counts, lengths and the smallest angle accept diamond for a target of square-planar atoms; the shape does not."""
    diamond = target("sp3-carbon")
    square = VertexFigure(directions=((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)), limit=0.15)
    wrong = diamond.model_copy(update={"vertex_figure": square, "min_angle": 63.0})
    crystal = diamond.reference.crystals()
    assert judge(crystal, diamond).valid.all() and judge(crystal, wrong).reason[0] == "shape differs"
