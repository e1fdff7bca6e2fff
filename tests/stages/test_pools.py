import numpy as np

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.symmetry.redescription import row_keys
from legocryst.settings import AugmentSettings
from legocryst.stages.pools import Pool, deal

RIGHT = np.pi / 2
DIAMOND = Crystals.build([227], [[3.567] * 3 + [RIGHT] * 3], [[(6, 8, (0.125, 0.125, 0.125))]])
SIMPLE = Crystals.build([221], [[2.0] * 3 + [RIGHT] * 3], [[(6, 13, (0.0, 0.0, 0.0))]])


def pools() -> list[Pool]:
    return [Pool.of(k, crystal, AugmentSettings(), seed=0) for k, crystal in enumerate((DIAMOND, SIMPLE))]


def test_rows_are_dealt_in_turn_and_go_where_there_are_fewest() -> None:
    both = pools()
    assert deal(both, 61, 500) == 61
    assert sorted(int(pool.dealt.sum()) for pool in both) == [30, 31]
    for pool in both:
        assert pool.dealt.max() <= 3 and len(set(pool.subgroups.group[pool.dealt > 0])) > 20


def test_nobody_gets_more_than_the_most_and_closed_ones_nothing() -> None:
    both = pools()
    both[0].open[:] = False
    assert deal(both, 100, 40) == 40 == both[1].dealt.sum()
    assert not both[0].dealt.any()
    both[1].open[:] = False
    assert deal(both, 100, 40) == 0


def test_drawn_rows_are_new_and_no_more_than_dealt() -> None:
    pool = pools()[0]
    seen: set[bytes] = set()
    pool.keep_itself(seen)
    deal([pool], 200, 500)
    expected = pool.dealt.copy()
    made = pool.draw(seen, 50)
    assert made == pool.total - 1 == len(seen) - 1 and (pool.made <= expected).all()
    rows = pool.rows()
    assert len(set(row_keys(rows.crystals))) == len(rows.source) == pool.total
    assert row_keys(rows.crystals)[0] == row_keys(DIAMOND)[0]


def test_a_subgroup_that_gives_nothing_new_is_closed() -> None:
    pool = Pool.of(0, SIMPLE, AugmentSettings(max_index=2, max_cells=1), seed=0)
    seen: set[bytes] = set()
    pool.keep_itself(seen)
    while deal([pool], 100_000, 100_000):
        pool.draw(seen, 50)
    assert not pool.open.any()
    made = dict(zip(pool.subgroups.group.tolist(), pool.made.tolist(), strict=True))
    assert made[221] == made[215] == made[200] == 2, "the atom at the corner, or in the middle"


def test_at_most_so_many_rows_of_one_transformation() -> None:
    pool = pools()[0]
    seen: set[bytes] = set()
    while deal([pool], 2000, 2000):
        pool.draw(seen, 1)
    assert max(pool.used.values()) == 1 and len(pool.used) == pool.total
