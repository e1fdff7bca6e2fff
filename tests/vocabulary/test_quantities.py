import sys
from subprocess import run

from legocryst.crystal.io.table import columns
from legocryst.vocabulary.quantities import _ALL, CRYSTAL_COLUMNS, QUANTITIES, header


def test_every_column_once_with_help() -> None:
    assert len(_ALL) == len(QUANTITIES)
    assert all(quantity.label and quantity.help.endswith(".") for quantity in _ALL)


def test_columns_of_the_table_format() -> None:
    assert list(CRYSTAL_COLUMNS) == list(columns(8))
    assert set(CRYSTAL_COLUMNS) < set(QUANTITIES)
    assert len(CRYSTAL_COLUMNS) == 39


def test_headers() -> None:
    assert header("density") == "Density (g/cm3)"
    assert header("net_key") == "Net key"
    assert header("something else") == "something else"


def test_light_rooms_import_no_heavy_package() -> None:
    code = (
        "import sys, legocryst.vocabulary.quantities, legocryst.settings, legocryst.jobs, legocryst.database.store\n"
        "print(sorted({'torch', 'pymatgen', 'sdv', 'spglib', 'pyxtal', 'rdt', 'streamlit'} & set(sys.modules)))"
    )
    out = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
