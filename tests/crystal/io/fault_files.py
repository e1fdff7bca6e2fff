"""Small files that readers of crystals get wrong, mostly in silence, with what is right; the files lie in `faults/`."""

from pathlib import Path

FOLDER = Path(__file__).parent / "faults"
RIGHT: dict[str, tuple[str, int, int] | str] = {
    "gra_ok.cif": ("hcb", 194, 4),
    "dia_o2.cif": ("dia", 227, 8),
    "dia_hall1.cif": ("dia", 227, 8),
    "dia_hall2.cif": ("dia", 227, 8),
    "As_R.cif": ("hcb", 166, 6),
    "bP_Abma.cif": ("hcb", 64, 8),
    "a01_p21n_short_IT.cif": ("nos", 14, 24),
    "a04_i2a_short.cif": ("dma", 15, 16),
    "ete_4dec.cif": ("ete", 181, 12),
    "gra_3dec.cif": ("hcb", 194, 4),
    "gra_occdot.cif": ("hcb", 194, 4),
    "gra_coorddot.cif": "the atom C3 has no coordinates: add them, or remove its row",
    "dia_negcart.vasp": ("dia", 227, 8),
    "dia_3scale.vasp": ("dia", 227, 8),
    "gra_ttf.extxyz": "the atoms repeat in 2 directions (pbc T T F), not in three",
    **{f"gra_{name}.cif": ("hcb", 194, 4) for name in ("case", "LOOP", "bom", "text", "aniso", "ddlm", "packed")},
}
"""Name of the net, space group and atoms in the conventional cell, or the sentence."""
BONDS = {"As_R.cif": (2.517,) * 3, "bP_Abma.cif": (2.223, 2.223, 2.243)}
"""Distances of the three nearest atoms, where bonds are not those of carbon."""
