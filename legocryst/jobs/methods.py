"""What a job did, as the paragraph of a paper, with the references it rests on."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from legocryst.environment.target_library import target
from legocryst.jobs.layout import DFT, FILES
from legocryst.jobs.record import Job
from legocryst.settings import SCREEN
from legocryst.vocabulary.references import REFERENCES, Reference, program
from legocryst.vocabulary.registry import POTENTIALS

MINIMISERS = {"lbfgs": ("L-BFGS", "lbfgs"), "adam": ("Adam", "adam")}
DECODED = {
    "snap": "each site was moved to the nearest point of its Wyckoff position",
    "strict": "rows with a site farther than 0.1 Å from its Wyckoff position were refused",
    "drop": "sites that did not fit their Wyckoff position were left out, as the reference programs do",
}
NAMES = {"torch": "PyTorch", "numpy": "NumPy", "spglib": "spglib", "sevenn": "sevenn", "rdt": "RDT", "ctgan": "CTGAN"}
"""Packages whose versions are told."""


@dataclass(frozen=True, slots=True)
class Methods:
    """A paragraph with numbers in square brackets, and the references that they stand for, in order."""

    text: str
    references: tuple[Reference, ...]

    @property
    def listed(self) -> str:
        """The references, a line each."""
        return "\n".join(f"[{k}] {reference.text}" for k, reference in enumerate(self.references, 1))


def methods(job: Job) -> Methods:
    """The paragraph of a finished job, from its record and its counts.

    Raises ValueError for a job that has not finished, or that a version with other settings made.
    """
    if job.state != "finished":
        raise ValueError(f"job {job.id} is {job.state}: its methods can be written when it has finished")
    told = _Writer(job)
    for stage in (*job.stages, "end"):
        _SECTIONS[stage](told)
    return Methods(" ".join(told.sentences), tuple(told.references))


class _Writer:
    """The sentences so far, and the references in the order in which they were first cited."""

    def __init__(self, job: Job) -> None:
        self.job, self.settings, self.summary = job, job.settings, job.summary
        self.target = target(self.settings.curate.target, job.folder)
        self.sentences: list[str] = []
        self.references: list[Reference] = []

    def say(self, text: str) -> None:
        self.sentences.append(text)

    def cite(self, *keys: str | Reference) -> str:
        """Such as "[1, 2]"; "" for none."""
        numbers = []
        for key in keys:
            reference = (
                key if isinstance(key, Reference) else REFERENCES.get(key) or program(self.job.record["version"])
            )
            if reference not in self.references:
                self.references.append(reference)
            numbers.append(self.references.index(reference) + 1)
        return f"[{', '.join(map(str, numbers))}]" if numbers else ""

    def works(self, *keys: str | Reference) -> str:
        """The same with a space before it."""
        return f" {self.cite(*keys)}" if keys else ""


def _curate(told: _Writer) -> None:
    job, settings = told.job, told.settings.curate
    wanted, number = told.target, told.summary["seeds"]
    low, high = wanted.bond_window
    told.say(
        f'Crystals of {wanted.element} with the local environment "{wanted.title}" were treated with LEGO-Cryst '
        f"{job.record['version']} {told.cite('legocryst')}, an independent implementation of the method of "
        f"{told.cite('legoxtal', 'legoxtal2')}."
    )
    where = f"read from {_several(len(job.seeds), 'file')}" if job.seeds else "shipped with the program"
    source = "" if job.seeds else f" (nets of the RCSR {told.cite('rcsr')} and nets found by a random search)"
    told.say(
        f"The training set consists of {_several(number, 'known crystal')} {where}{source}, each with another net, in "
        f"which every atom has {wanted.coordination} bonds of {low:g} to {high:g} Å, no further atom nearer than "
        f"{wanted.gap:g} Å, and no angle between bonds below {wanted.min_angle:g} degrees."
    )
    limits = [f"at most {settings.max_sites} Wyckoff sites", f"at most {settings.max_atoms} atoms in the cell"]
    limits += [f"a strain of at most {settings.max_strain:g}"] if settings.max_strain is not None else []
    if settings.max_energy is not None:
        limits.append(f"at most {settings.max_energy:g} eV/atom above the reference, where the energy is known")
    limits += ["a known energy"] if settings.known_energy_only else []
    limits += [f"periodicity {_or(settings.periodicities)}"] if settings.periodicities else []
    limits += [f"a {_or(settings.crystal_systems)} cell"] if settings.crystal_systems else []
    limits += [f"space groups {settings.space_groups}"] if settings.space_groups else []
    told.say(f"Taken were crystals with {_and(limits)}.")
    if told.summary.get("reference"):
        told.say(f"The nets of {_several(told.summary['reference'], 'further crystal')} counted as known.")


def _augment(told: _Writer) -> None:
    settings = told.settings.augment
    cells = f"at most {settings.max_cells} times as many atoms in the primitive cell"
    within = "without a larger primitive cell" if settings.max_cells == 1 else f"with {cells}"
    told.say(
        f"Each crystal was written again in subgroups of its space group, {within}, at most {settings.max_sites} sites "
        f"and {settings.max_free} free variables, with other axes, origins and points of its orbits, which gave "
        f"{_several(told.summary['augmented'], 'row')}."
    )
    if settings.variants:
        told.say(f"Every row was changed by at most {settings.perturbation:g} and relaxed in its subgroup.")


def _featurize(told: _Writer) -> None:
    told.say(
        f"Categories were encoded one-hot, numbers by mixtures of at most {told.settings.features.components} "
        f"Gaussians {told.cite('ctgan')}."
    )


def _train(told: _Writer) -> None:
    settings, spec = told.settings.train, told.settings.train.spec
    if told.job.substitute:
        told.say("The training set had too few crystals to learn from.")
    if spec.methods:
        told.say(spec.methods.replace("{works}", told.works(*spec.cites)))
        return
    curve = pd.read_parquet(told.job.folder / FILES["train"][0])
    checked = curve.loc[curve["quantity"] == "new", "epoch"]
    if checked.empty:
        told.say(f"The rows were learnt by {spec.title}{told.works(*spec.cites)}.")
        return
    pause = int(checked.min())  # to the first check, and between all
    when = "after each epoch" if pause == 1 else f"every {pause} epochs"
    kept = "last weights" if spec.settles else "weights with the largest share of new crystals"
    told.say(
        f"The rows were learnt by {spec.title}{told.works(*spec.cites)} in "
        f"{_several(int(curve['epoch'].max()), 'epoch')}, with {_optimiser(told)} at a learning rate of "
        f"{settings.rate:g} in batches of {settings.batch}; {when} fresh samples were relaxed and judged, and the "
        f"{kept} were kept."
    )


def _optimiser(told: _Writer) -> str:
    return _and([f"{name} {told.cite(name.lower())}" for name in told.settings.train.spec.optimisers])


def _sample(told: _Writer) -> None:
    settings, spec = told.settings.sample, told.settings.train.spec
    asked = f", asked for {_and(settings.asked)}" if settings.asked else ""
    if spec.guided and settings.lowest_energies < 1:
        asked += f" with a guidance of {settings.guidance:g} {told.cite('guidance')}"
    heat = f" at the temperature {settings.temperature:g}" if spec.tempered else ""
    rows = _several(told.summary.get("sampled", settings.samples), "row")
    told.say(f"{rows} were drawn{heat}{asked}; {DECODED[settings.decode]}.")


def _relax(told: _Writer) -> None:
    settings, counts = told.settings.relax, told.summary
    name, key = MINIMISERS[settings.optimizer]
    first = [
        f"towards the reference power spectrum with small angular momenta ({settings.descriptor_steps} steps at most)",
        f"towards the coordination ({settings.coordination_steps})",
    ]
    one, two = first if settings.order == "descriptor first" else first[::-1]
    told.say(
        f"Each crystal was relaxed along its symmetry-free variables by {name} {told.cite(key)}: {one}, {two}, and "
        f"towards the whole power spectrum with the coordination held ({settings.refine_steps})"
        + (f"; those not valid started again up to {settings.restarts} times." if settings.restarts else ".")
    )
    invalid = sum(counts["invalid"].values())
    told.say(
        f"Of {counts['sampled']:,} rows, {counts['undecodable']:,} could not be decoded, {invalid:,} did not become "
        f"valid by the criterion of the training set, {counts['known']:,} have a known net, {counts['duplicate']:,} "
        f"repeat a net, and {counts['new']:,} are new."
    )
    told.say(
        f"Nets were compared by their canonical forms {told.cite('nets')}, distances to known crystals are those of "
        f"pointwise distance distributions {told.cite('pdd')}, and space groups are those that spglib finds within "
        f"0.01 Å {told.cite('spglib')}."
    )
    if beside := counts.get("baseline"):
        told.say(
            f"For comparison {beside['rows']:,} random symmetric crystals were relaxed in the same way: "
            f"{beside['valid']:,} became valid, {beside['new']:,} of them new."
        )


def _rank(told: _Writer) -> None:
    settings, counts = told.settings.rank, told.summary
    if not counts.get("energies"):
        return
    screen, zero = POTENTIALS[SCREEN], told.target.of_energy.reference.name
    told.say(
        f"Energies above {zero} of {_several(counts['energies'], 'new crystal')} as they stand were computed with "
        f"{screen.title}{told.works(*screen.cites)}"
        + (
            f", which crystals being learnt from the others by a Gaussian process {told.cite('gaussian_process')}."
            if counts.get("learned")
            else "."
        )
    )
    if counts.get("relaxed"):
        own = told.works(*(key for key in settings.potential.cites if key not in screen.cites))
        told.say(
            f"{_several(counts['relaxed'], 'crystal')} of the lowest, of frameworks and of others, were relaxed with "
            f"{settings.model}{own} in their space groups, to forces below {settings.max_force:g} eV/Å and stresses "
            f"below {settings.max_stress:g} GPa; "
            f"dispersion {told.cite('d3')} took part in the geometry of layers, chains and cages, and is in no energy."
        )
        told.say(
            f"Low in energy, that is frameworks that kept their net and lie less than {settings.low_energy:g} eV/atom "
            f"above {zero}, are {counts.get('low_energy', 0):,}."
        )


def _bands(told: _Writer) -> None:
    settings, orbitals = told.settings.bands, told.target.orbitals
    if settings.bands and orbitals:
        told.say(
            f"Gaps of valid crystals with at most {settings.max_atoms} atoms in the primitive cell are of a "
            f"tight-binding model ({orbitals.source})."
        )


def _dft(told: _Writer) -> None:
    settings = told.settings.dft
    told.say(
        f"The crystal {told.summary['crystal_id']} was computed with LEGO-Cryst {told.job.record['version']} "
        f"{told.cite('legocryst')} by density functional theory with GPAW {told.cite('gpaw')}, {settings.functional}, "
        f"plane waves up to {settings.cutoff:g} eV and k-points at most {settings.spacing:g} per angstrom apart: gap "
        f"{told.summary['dft_gap']:.2f} eV, {told.summary['dft_class']}."
    )


def _end(told: _Writer) -> None:
    record = told.job.record
    versions = [f"{name} {record['versions'][key]}" for key, name in NAMES.items() if key in record["versions"]]
    told.say(
        f"All random choices follow from the seed {told.settings.seed}; the job {told.job.id} took "
        f"{told.summary['total_cpu_seconds']:,.0f} CPU-s on {told.job.place} (Python "
        f"{record['versions']['python']}, {', '.join(versions)}; SHA-256 of the input {record['input'][:12]})."
    )


_SECTIONS: dict[str, Callable[[_Writer], None]] = {
    "curate": _curate,
    "augment": _augment,
    "featurize": _featurize,
    "train": _train,
    "sample": _sample,
    "relax": _relax,
    "rank": _rank,
    "bands": _bands,
    DFT: _dft,
    "end": _end,
}


def _several(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _and(words: list[str]) -> str:
    return ", ".join(words[:-1]) + f" and {words[-1]}" if len(words) > 1 else words[0]


def _or(values: tuple[object, ...]) -> str:
    return " or ".join(str(value) for value in values)
