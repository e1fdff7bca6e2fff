"""What an installation of the package takes, and whether it works, from an empty folder.

    python -m benchmarks.install FOLDER [--python PYTHON] [--torch-index URL] [--only core|full]

The wheel is built and installed into new virtual environments under FOLDER: its core, and the core
with the extra `all`.
PyTorch comes first and alone, as `make app` does it, so that the build without CUDA is taken where one can be had.
Then the installed command is called, with no checkout within reach. The first call that fails ends the benchmark.
"""

import argparse
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from legocryst import ROOT

DIAMOND = """data_diamond
_cell_length_a 3.567
_cell_length_b 3.567
_cell_length_c 3.567
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1'
_space_group_IT_number 1
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
"""
ATOMS = ((0, 0, 0), (0, 2, 2), (2, 0, 2), (2, 2, 0), (1, 1, 1), (1, 3, 3), (3, 1, 3), (3, 3, 1))
"""Of the cubic cell of diamond, in quarters of its edges."""
CORE = (
    "legocryst --help",
    "legocryst identify diamond.cif --target sp3-carbon --json",
    "legocryst seeds --out seeds.parquet",
    "legocryst relax seeds.parquet --out relaxed.parquet --json",
    "legocryst augment --rows 500 --out augmented.parquet",
    "legocryst curate diamond.cif --target sp3-carbon --out curated.parquet",
    "legocryst target make diamond.cif --atom 1 --name mine",
    *(
        f"legocryst run --preset smoke --model {model} --rank-energies no --train-quality no --json"
        for model in ("random", "surfaces", "cvae", "transformer")
    ),
)
"""What works without any extra."""
REFUSED = {
    "app": "app",
    "view diamond.cif --out views": "app",
    "energy diamond.cif --target sp3-carbon": "energy",
    "run --preset smoke": "gan,energy",
    "dft diamond.cif": "dft",
}
"""What needs an extra, and which."""
FULL = ("legocryst run --preset smoke --workspace W --json", "legocryst energy diamond.cif --target sp3-carbon")
PAGES = """
from streamlit.testing.v1 import AppTest
from legocryst import ROOT
pages = sorted((ROOT / "pages").glob("*.py"))
for page in pages:
    test = AppTest.from_file(str(page), default_timeout=120).run()
    assert not test.exception, f"{page.name}: {test.exception[0].message}"
print(len(pages), "pages drawn")
"""


def timed(command: list[str], **options: object) -> tuple[float, str]:
    """Run a command; returns its seconds and the last line it printed. Ends the benchmark where it fails."""
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, **options)  # type: ignore[call-overload]
    if done.returncode:
        raise SystemExit(f"{shlex.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    lines = (done.stdout or done.stderr).strip().splitlines()
    return time.monotonic() - start, lines[-1] if lines else ""


def megabytes(folder: Path) -> float:
    """Return space that a folder takes on disk; a file with several names counts once."""
    files = [path.lstat() for path in folder.rglob("*")]
    return 512 * sum({(file.st_dev, file.st_ino): file.st_blocks for file in files}.values()) / 1e6


def installed(place: Path, wheel: str, options: argparse.Namespace) -> Path:
    """Make a new environment with the wheel and return the folder of its programs."""
    start = time.monotonic()
    timed([options.python, "-m", "venv", str(place)])
    pip, before = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet"], megabytes(place)
    index = ["--extra-index-url", options.torch_index] if options.torch_index else []
    torch = next(line for line in (ROOT / "requirements.txt").read_text().splitlines() if line.startswith("torch=="))
    timed([*pip, "--no-deps", "--retries", "1", "--timeout", "20", *index, torch])
    timed([*pip, wheel])
    seconds = time.monotonic() - start
    packages = len(list(place.glob("lib/python*/site-packages/*.dist-info")))
    print(f"{place.name}: {seconds:.0f} s, {megabytes(place) - before:.0f} MB, {packages} packages", flush=True)
    return place / "bin"


def call(programs: Path, folder: Path, command: str) -> None:
    """Call an installed command in a folder and say how long it took."""
    seconds, last = timed([str(programs / "legocryst"), *shlex.split(command)[1:]], cwd=folder, env=environment())
    print(f"  {command}: {seconds:.1f} s; {last[:160]}", flush=True)


def environment() -> dict[str, str]:
    """Return our own, without what would let the checkout be found."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "LEGOCRYST_WORKSPACE")}


def refused(programs: Path, folder: Path, command: str, extra: str) -> None:
    """Make sure that a command ends with one sentence that names the extra."""
    arguments = [str(programs / "legocryst"), *shlex.split(command)]
    done = subprocess.run(arguments, cwd=folder, env=environment(), capture_output=True, text=True)
    said = done.stderr.splitlines()
    if done.returncode != 2 or len(said) != 1 or f"pip install 'legocryst[{extra}]'" not in said[0]:
        raise SystemExit(f"{command} does not name the extra {extra}: {done.stderr}")
    print(f"  {command}: {said[0]}", flush=True)


@contextmanager
def served(programs: Path, folder: Path) -> Iterator[int]:
    """Yield the port of an app that runs meanwhile."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(programs / "legocryst"), "app", "--workspace", "W", "--port", str(port)]
    with (folder / "app.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment(), stdout=log, stderr=log)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def status(port: int, path: str, seconds: float = 60.0) -> int:
    """Return the HTTP status of an address of the app, which may still be starting."""
    end = time.monotonic() + seconds
    while True:
        try:
            with urlopen(f"http://localhost:{port}/{path}", timeout=10) as answer:
                return int(answer.status)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def check_app(programs: Path, folder: Path) -> None:
    """Serve the dashboard, draw every page, and make sure that the settings in the wheel count."""
    with served(programs, folder) as port:
        for path in ("", "database", "app/static/vendor/3dmol/3Dmol-min.js"):
            print(f"  legocryst app, GET /{path}: {status(port, path)}", flush=True)
        listening = subprocess.run(["ss", "-Hltn", f"sport = :{port}"], capture_output=True, text=True).stdout
        hosts = set(re.findall(rf"(\S+):{port}\b", listening))
        if not hosts or hosts - {"127.0.0.1", "[::1]"}:
            raise SystemExit(f"the app listens on {hosts or 'nothing'}, not on localhost alone")
        print(f"  legocryst app listens on {', '.join(sorted(hosts))}", flush=True)
    variables = environment() | {"LEGOCRYST_WORKSPACE": str(folder / "W")}
    _, last = timed([str(programs / "python"), "-c", PAGES], cwd=folder, env=variables)
    print(f"  {last}", flush=True)


def main() -> None:
    """Measure both installations."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--torch-index", default="")
    parser.add_argument("--only", choices=("core", "full"))
    options = parser.parse_args()
    folder = options.folder.resolve()
    if folder.exists():
        parser.error(f"{folder} exists: name a new folder")
    folder.mkdir(parents=True)
    seconds, _ = timed([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), str(ROOT)])
    (wheel,) = folder.glob("*.whl")
    print(f"wheel: {seconds:.1f} s, {wheel.stat().st_size / 1e6:.2f} MB")
    atoms = [" ".join(str(part / 4) for part in atom) for atom in ATOMS]
    cif = DIAMOND + "".join(f"C{k} C {xyz}\n" for k, xyz in enumerate(atoms))
    for name in ("core", "full"):
        if options.only in (None, name):
            empty = folder / f"empty-{name}"
            empty.mkdir()
            (empty / "diamond.cif").write_text(cif)
            programs = installed(folder / name, f"{wheel}[all]" if name == "full" else str(wheel), options)
            for command in CORE if name == "core" else FULL:
                call(programs, empty, command)
            if name == "core":
                for command, extra in REFUSED.items():
                    refused(programs, empty, command, extra)
            else:
                check_app(programs, empty)


if __name__ == "__main__":
    main()
