"""What a user offers: every kind of file, folders, archives; each crystal, or the reason why it is none."""

import os
import shutil
import sqlite3
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase.db import connect
from ase.io import write

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io import archives
from legocryst.crystal.io.inputs import Offer, offers
from legocryst.crystal.io.structures import FileError, to_cif, to_structure
from legocryst.crystal.io.table import TableError, encode
from legocryst.stages.curate import shipped

CARBON = 6
DIAMOND = Crystals.build([227], [[3.567] * 3 + [np.pi / 2] * 3], [[(6, 8, (0.125, 0.125, 0.125))]])
PARTIAL = """data_x
_cell_length_a 3
_cell_length_b 3
_cell_length_c 3
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
C1 C 0 0 0 0.5
"""
POSCAR = """carbon
1.0
2.46 0 0
-1.23 2.1304 0
0 0 6.7
C
4
direct
0 0 0.25
0 0 0.75
0.3333333 0.6666667 0.25
0.6666667 0.3333333 0.75
"""
TABLE = encode(DIAMOND)


def read(*given: Path) -> list[Offer]:
    return offers(given, element=CARBON)


def groups(candidates: list[Offer]) -> list[int]:
    return [0 if offer.crystal is None else int(offer.crystal.group[0]) for offer in candidates]


def atoms(crystals: Crystals = DIAMOND) -> Atoms:
    structure = to_structure(crystals)
    return Atoms("C" * len(structure), cell=structure.lattice.matrix, scaled_positions=structure.frac_coords, pbc=True)


def packed(path: Path, *files: tuple[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return path


def every_kind(folder: Path) -> Path:
    """Each kind of file, good ones only, in a folder and its subfolder."""
    (folder / "sub").mkdir(parents=True)
    (folder / "two.cif").write_text(f"data_global\n_journal_year 2026\n{to_cif(DIAMOND)}\n{to_cif(DIAMOND)}")
    (folder / "POSCAR").write_text(POSCAR)
    (folder / "sub" / "graphite.vasp").write_text(POSCAR)
    TABLE.to_csv(folder / "t.csv", index=False)
    write(folder / "frames.extxyz", [atoms(), atoms()], format="extxyz")
    with connect(folder / "rows.db") as database:
        database.write(atoms())
    return folder


EVERY_KIND = [
    ("POSCAR", 194),
    ("frames.extxyz#1", 227),
    ("frames.extxyz#2", 227),
    ("rows.db", 227),
    ("sub/graphite.vasp", 194),
    ("t.csv", 227),
    ("two.cif#1", 227),
    ("two.cif#2", 227),
]


def test_every_kind_of_file_in_a_folder_and_in_an_archive(tmp_path: Path) -> None:
    folder = every_kind(tmp_path / "given")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    candidates = read(folder)
    assert list(zip([offer.place for offer in candidates], groups(candidates), strict=True)) == EVERY_KIND
    assert all(np.allclose(o.crystal.cell[0, 0], 3.567) for o in candidates if o.crystal and o.crystal.group[0] == 227)
    shutil.make_archive(str(tmp_path / "all"), "zip", folder)
    again = read(tmp_path / "all.zip")
    assert [(offer.place.removeprefix("all.zip/"), *groups([offer])) for offer in again] == EVERY_KIND
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before  # nothing was written


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.cif").write_text(PARTIAL)
    (tmp_path / "b.cif").write_text(to_cif(DIAMOND))
    (tmp_path / "c.cif").touch()
    (tmp_path / "d.txt").write_text("notes")
    (tmp_path / "e.cif").write_text(f"{PARTIAL}\n{to_cif(DIAMOND)}")
    (tmp_path / ".hidden").write_text("passed over")
    two = [TABLE.assign(spg=231), TABLE]
    pd.concat(two).to_csv(tmp_path / "f.csv", index=False)
    seen: list[tuple[int, int]] = []
    candidates = offers(tmp_path, element=CARBON, progress=lambda done, total: seen.append((done, total)))
    assert [offer.place for offer in candidates] == [
        "a.cif",
        "b.cif",
        "c.cif",
        "d.txt",
        "e.cif#1",
        "e.cif#2",
        "f.csv#1",
        "f.csv#2",
    ]
    assert groups(candidates) == [0, 227, 0, 0, 0, 227, 0, 227]
    assert seen[-1] == (8, 8) and [done for done, _ in seen] == list(range(1, 9))
    reasons = [offer.reason for offer in candidates if offer.reason]
    for words, reason in zip(("partial", "is empty", "no known kind", "partial", "space group"), reasons, strict=True):
        assert words in reason and "\n" not in reason


def test_what_a_table_of_ours_says_is_kept() -> None:
    candidates = offers(shipped("sp2-carbon").head(3), element=CARBON)
    assert [offer.words["source"] for offer in candidates] == list(shipped("sp2-carbon")["source"].head(3))
    np.testing.assert_array_equal(
        [offer.words["energy"] for offer in candidates], shipped("sp2-carbon")["energy"].head(3)
    )
    foreign = shipped("sp2-carbon").head(2).drop(columns="net_key")  # LEGO-xtal's energies are not above graphite
    assert [dict(offer.words) for offer in offers(foreign, element=CARBON)] == [{}, {}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.cif", None, "there is no file"),
        ("empty.cif", "", "is empty"),
        ("text.cif", "this is only text", "cannot be read as a CIF"),
        ("title.cif", "data_x\n_journal_year 2026\n", "cannot be read as a CIF"),
        ("partial.cif", PARTIAL, "partial occupancy"),
        ("nan.cif", PARTIAL.replace("0 0 0 0.5", "nan 0 0 1"), "not numbers"),
        ("flat.cif", PARTIAL.replace("_cell_length_a 3", "_cell_length_a 0").replace(" 0.5", " 1"), "flat.cif"),
        ("overlap.cif", PARTIAL.replace("C1 C 0 0 0 0.5", "C1 C 0 0 0 1\nC2 C 0.05 0 0 1"), "overlap"),
        ("dummy.cif", PARTIAL.replace("C1 C 0 0 0 0.5", "Q1 Q 0 0 0 1"), "dummy.cif"),
        ("a.vasp", "hello", "cannot be read as a POSCAR"),
        ("b.vasp", POSCAR.replace("C\n4", "4"), "does not name its elements"),
        ("c.vasp", POSCAR.replace("0 0 0.25", "nan 0 0.25"), "not numbers"),
        ("d.vasp", POSCAR.replace("0.3333333 0.6666667 0.25", "0 0 0.26"), "overlap"),
        ("d2.vasp", POSCAR.replace("C\n4", "C\n4000000000"), "names more atoms in line 6 or 7 than it has lines"),
        ("e.xyz", "hello", "cannot be read as extended XYZ"),
        ("e2.xyz", "99999999999999\n\nC 0 0 0\n", "line 1 gives no number of atoms that fits"),
        ("f.xyz", "1\n\nC 0 0 0\n", "no cell"),
        ("g.xyz", '1\nLattice="3 0 0 0 3 0 0 0 3"\nX 0 0 0\n', "dummy atoms"),
        ("h.db", "no database", "cannot be read as an ASE database"),
        ("i.pdf", "hello", "of no known kind"),
        ("j.zip", "no archive", "cannot be read as a zip archive"),
        ("t.csv", TABLE.assign(spg=231).to_csv(index=False), "space group outside"),
        ("u.csv", TABLE.assign(x0=0.3).to_csv(index=False), "shift above"),
        ("v.csv", TABLE.drop(columns="beta").to_csv(index=False), "lacks the column beta"),
        ("w.csv", "", "is empty"),
    ],
)
def test_a_single_wrong_file_gets_one_sentence(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises((FileError, TableError), match=message) as caught:
        read(tmp_path / name)
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_folders_without_crystals_say_so(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="is empty: put crystals into it"):
        read(tmp_path)
    with pytest.raises(FileError, match="holds no files"):
        read(packed(tmp_path / "empty.zip"))


def test_half_a_frame_is_told_and_those_before_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "cut.extxyz"
    write(path, [atoms(), atoms(), atoms()], format="extxyz")
    path.write_text("\n".join(path.read_text().splitlines()[:-3]))
    candidates = read(path)
    assert groups(candidates) == [227, 227, 0] and "what stands behind is not read" in candidates[-1].reason


@pytest.mark.parametrize("name", ["slab.db", "slab.extxyz"])
def test_what_repeats_in_two_directions_is_no_crystal(tmp_path: Path, name: str) -> None:
    slab = atoms()
    slab.pbc = (True, True, False)
    write(tmp_path / name, [atoms(), slab])
    candidates = read(tmp_path / name)
    assert groups(candidates) == [227, 0]
    assert "repeat in 2 directions (pbc T T F), not in three" in candidates[1].reason


def test_another_database_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE plants (name TEXT)")
    database.close()
    before = path.read_bytes()
    with pytest.raises(FileError, match=r"other\.db cannot be read as an ASE database \(no such table: systems"):
        read(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["other.db"]


def test_ways_out_of_a_folder_are_refused(tmp_path: Path) -> None:
    inside = tmp_path / "given"
    inside.mkdir()
    (tmp_path / "secret.cif").write_text(to_cif(DIAMOND))
    (inside / "a.cif").symlink_to(tmp_path / "secret.cif")
    (inside / "b.cif").symlink_to(inside / "nothing")
    (inside / "c").symlink_to(tmp_path)
    (inside / "d.cif").write_text(to_cif(DIAMOND))
    candidates = read(inside)
    assert groups(candidates) == [0, 0, 0, 227]
    for words, offer in zip(("leads out of its folder", "link to nothing", "leads out"), candidates, strict=False):
        assert words in offer.reason


def test_ways_out_of_an_archive_are_refused(tmp_path: Path) -> None:
    cif = to_cif(DIAMOND)
    names = ["../up.cif", "/abs.cif", "C:\\win.cif", "..\\up.cif", "deep/../../up.cif", "good/ok.cif"]
    archive = packed(tmp_path / "a.zip", *[(name, cif) for name in names])
    link = zipfile.ZipInfo("link.cif")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(archive, "a") as more:
        more.writestr(link, "/etc/hostname")
        more.writestr("inner.zip", packed(tmp_path / "b.zip", ("x.cif", cif)).read_bytes())
        more.writestr("__MACOSX/._x.cif", "passed over")
    (tmp_path / "b.zip").unlink()
    candidates = {offer.place.removeprefix("a.zip/"): offer for offer in read(archive)}
    assert set(candidates) == {*names, "link.cif", "inner.zip"}
    assert groups([candidates["good/ok.cif"]]) == [227]
    for name, words in {**dict.fromkeys(names[:5], "leads out"), "link.cif": "link", "inner.zip": "inside"}.items():
        assert candidates[name].crystal is None and words in candidates[name].reason, name
    assert os.listdir(tmp_path) == ["a.zip"]


def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = packed(tmp_path / "bomb.zip", ("zeros.csv", b"0" * 20_000_000), ("a.cif", to_cif(DIAMOND)))
    assert bomb.stat().st_size < 100_000
    with pytest.raises(
        FileError, match=r"bomb\.zip is refused: zeros\.csv in it unpacks to 20 MB, more than 200 times"
    ):
        read(bomb)
    large = packed(tmp_path / "large.zip", *[(f"{k}.cif", to_cif(DIAMOND)) for k in range(5)])
    for limit in ("MAX_BYTES", "MAX_FILES"):
        with monkeypatch.context() as patched:
            patched.setattr(archives, limit, 4)
            with pytest.raises(FileError, match=r"large\.zip unpacks to 5 files"):
                read(large)
    assert groups(read(large)) == [227] * 5


def test_locked_and_damaged_members_are_told(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", ("a.cif", to_cif(DIAMOND)), ("b.cif", to_cif(DIAMOND)))
    content = bytearray(archive.read_bytes())
    content[60] ^= 0xFF  # inside the first member
    flag = content.rindex(b"PK\x01\x02") + 8  # of the second member in the list at the end
    content[flag] |= 1
    archive.write_bytes(content)
    candidates = read(archive)
    assert groups(candidates) == [0, 0]
    assert all("cannot be unpacked" in offer.reason for offer in candidates)


def test_mangled_files_end_in_a_reason(tmp_path: Path) -> None:
    """Whatever a file has lost, it is read or it gets its sentence."""
    rng = np.random.default_rng(0)
    texts = {"m.cif": to_cif(DIAMOND), "m.vasp": POSCAR, "m.csv": TABLE.to_csv(index=False)}
    write(tmp_path / "good.extxyz", atoms(), format="extxyz")
    texts["m.extxyz"] = (tmp_path / "good.extxyz").read_text()
    (tmp_path / "good.extxyz").unlink()
    for _ in range(40):
        for name, text in texts.items():
            lines = text.splitlines()
            k = int(rng.integers(len(lines)))
            match rng.integers(3):
                case 0:
                    del lines[k]
                case 1:
                    lines = lines[: k + 1]
                case _:
                    at = int(rng.integers(len(lines[k]) + 1))
                    lines[k] = (
                        lines[k][:at] + str(rng.choice(["x", "-", "nan", "1e400", "'", ";", "9" * 30])) + lines[k][at:]
                    )
            (tmp_path / name).write_text("\n".join(lines))
        for offer in read(tmp_path):
            assert (offer.crystal is None) == bool(offer.reason) and "\n" not in offer.reason
