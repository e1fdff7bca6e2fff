import numpy as np
from pyxtal.symmetry import Group

from legocryst.crystal.io.structures import hall_number
from legocryst.crystal.symmetry.wyckoff import N_GROUPS, symbol, wyckoff


def test_positions_are_pyxtals() -> None:
    table = wyckoff()
    assert len(table.multiplicity) == table.first[-1] == 1731
    for group in range(1, N_GROUPS + 1):
        theirs, ids = Group(group).Wyckoff_positions, table.positions(group)
        assert [p.letter for p in theirs] == [str(table.letter[k]) for k in ids], group
        assert [p.multiplicity for p in theirs] == [int(table.multiplicity[k]) for k in ids], group
        for position, k in zip(theirs, ids, strict=True):
            ops = table.operations(k)
            assert np.allclose([op.rotation_matrix for op in position.ops], table.rotation[ops])
            offset = np.array([op.translation_vector for op in position.ops]) - table.translation[ops]
            assert np.abs(offset - np.rint(offset)).max() < 1e-3
            assert position.get_dof() == np.linalg.matrix_rank(table.rotation[ops.start]) == table.free[k].sum()


def test_general_positions_are_a_setting_of_spglib() -> None:
    halls = [hall_number(group) for group in range(1, N_GROUPS + 1)]
    assert len(set(halls)) == N_GROUPS


def test_first_operation_is_the_identity_on_its_free_coordinates() -> None:
    table = wyckoff()
    rotation, translation = table.rotation[table.op_first[:-1]], table.translation[table.op_first[:-1]]
    assert np.allclose(rotation @ rotation, rotation)
    assert np.allclose(np.einsum("pij,pj->pi", rotation, translation), 0)
    assert np.allclose(rotation[:, [0, 1, 2], [0, 1, 2]][table.free], 1)


def test_symbols() -> None:
    assert [symbol(g) for g in (1, 14, 166, 194, 227)] == ["P1", "P21/c", "R-3m", "P63/mmc", "Fd-3m"]
