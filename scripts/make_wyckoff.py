"""Write data/wyckoff.npz: the Wyckoff positions of all 230 space groups as flat arrays.

The positions are those of pyxtal's tables (MIT licence), in its standard settings: monoclinic unique axis b cell
choice 1, rhombohedral groups on hexagonal axes, origin choice 2. Run from the repository root:

    python -m scripts.make_wyckoff
"""

from pathlib import Path

import numpy as np
from pyxtal.symmetry import Group

OUT = Path(__file__).resolve().parents[1] / "data" / "wyckoff.npz"


def main() -> None:
    """Write the file and say how large it is."""
    first, letter, site_symmetry, free, op_first = [0, 0], [], [], [], [0]
    rotation, translation, symbols = [], [], [""]
    for number in range(1, 231):
        group = Group(number)
        symbols.append(group.symbol)
        for position in group.Wyckoff_positions:
            position.get_site_symmetry()
            ops = position.ops
            frozen = np.array([op.rotation_matrix for op in ops]).round().astype(int)
            shift = np.array([op.translation_vector for op in ops]) % 1.0
            assert np.allclose(shift * 24, (shift * 24).round(), atol=1e-2), (number, position.letter)
            rotation.append(frozen.astype(np.int8))
            translation.append(((shift * 24).round() % 24).astype(np.int8))
            letter.append(position.letter)
            site_symmetry.append(position.site_symm)
            free.append(np.any(frozen != 0, axis=(0, 1)))
            op_first.append(op_first[-1] + len(ops))
        first.append(len(letter))
    np.savez_compressed(
        OUT,
        first=np.array(first, np.int32),
        letter=np.array(letter),
        site_symmetry=np.array(site_symmetry),
        free=np.array(free),
        op_first=np.array(op_first, np.int32),
        rotation=np.concatenate(rotation),
        translation24=np.concatenate(translation),
        symbol=np.array(symbols),
    )
    print(f"{len(letter)} positions, {op_first[-1]} operations -> {OUT} ({OUT.stat().st_size / 1e3:.0f} kB)")


if __name__ == "__main__":
    main()
