"""The glossary: every word of the pages that is not everyday English, once, as docs/method.md means it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A word: its place in the address of the glossary, what it is called, and what it means."""

    slug: str
    name: str
    text: str
    chapter: str


_CHAPTERS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Crystals and symmetry": (
        (
            "space-group",
            "Space group",
            "All movements (rotations, mirrors, shifts and their combinations) that carry a crystal into itself. There "
            "are 230 kinds, numbered 1 to 230, each with a symbol after Hermann and Mauguin, such as P6/mmm.",
        ),
        (
            "wyckoff-position",
            "Wyckoff position",
            "A kind of place in a space group: all points with the same site symmetry. 4a means that its points come "
            "in fours in each cell; the letter only numbers the kinds. A position may be fixed, or leave one, two or "
            "three coordinates free.",
        ),
        (
            "wyckoff-site",
            "Wyckoff site",
            "One atom of a crystal together with all its copies by symmetry, which lie on one Wyckoff position. A "
            "crystal of one site has atoms that are all alike.",
        ),
        (
            "site-symmetry",
            "Site symmetry",
            "The movements of the space group that leave a point where it is. On a point with a high site symmetry an "
            "atom cannot move without the symmetry being lost.",
        ),
        (
            "cell",
            "Cell",
            "The box that fills space when it is repeated. a, b, c are its edges and α, β, γ its angles. The "
            "conventional cell shows the symmetry best, the primitive cell is the smallest one.",
        ),
        (
            "crystal-system",
            "Crystal system",
            "One of seven families of cell, from triclinic, where edges and angles are free, to cubic, where the cell "
            "is a cube.",
        ),
        (
            "free-variables",
            "Free variables",
            "The numbers that may change without breaking the symmetry: free edges and angles of the cell and free "
            "coordinates of the sites. Also called degrees of freedom.",
        ),
        (
            "subgroup",
            "Subgroup",
            "A space group that has only some of another's movements. Every crystal can also be written in the "
            "subgroups of its own space group, with more sites; it stays the same crystal. A t-subgroup has fewer "
            "rotations, a k-subgroup fewer shifts, so that its cell is larger; the index tells how many times fewer.",
        ),
        (
            "symprec",
            "Symmetry tolerance",
            "How far, in angstrom, atoms may be from their ideal places when symmetry is looked for.",
        ),
        (
            "angstrom",
            "Angstrom (Å)",
            "A ten-millionth of a millimetre: the length of atoms and bonds. A bond in graphite measures 1.42 Å.",
        ),
        (
            "density",
            "Density",
            "Mass by volume. Of layers it means something only after a relaxation with dispersion, which sets the "
            "distance between them.",
        ),
        (
            "files",
            "CIF, POSCAR, extended XYZ",
            "Three common kinds of text file for crystals. CIF keeps the symmetry; POSCAR is VASP's; extended XYZ "
            "lists all atoms with the cell. All three can be read here.",
        ),
    ),
    "Environment": (
        (
            "environment",
            "Local environment",
            "What an atom sees near it: how many neighbours, how far away, under which angles.",
        ),
        (
            "target",
            "Target",
            "The local environment that every atom of a new crystal shall have: element, number of bonds, their "
            "lengths, the gap to further atoms, the smallest angle, and a reference crystal to compare with.",
        ),
        (
            "coordination",
            "Coordination",
            "How many atoms an atom is bonded to: three in graphite, four in diamond.",
        ),
        (
            "power-spectrum",
            "Power spectrum",
            "A list of 15 numbers that describes the environment of an atom and does not change when the crystal is "
            "turned. Two environments are alike if their lists are. (Bartók, Kondor and Csányi, 2013.)",
        ),
        (
            "loss",
            "Loss",
            "How far the environments of a crystal are from the wanted one: the squared difference of power spectra, "
            "averaged over its atoms. 0 is the reference itself; of valid sp2 carbon it is at most 10. While a model "
            "trains, loss means how badly it does what it learns.",
        ),
        (
            "radial-distribution",
            "Radial distribution function",
            "How much of an atom's neighbours lies at each distance: a peak for each shell of neighbours.",
        ),
        (
            "angular-fourier",
            "Angular Fourier series",
            "How the angles between an atom's bonds are distributed, as a series of waves. Flat bonds at 120 degrees "
            "give 9 for the waves 0, 3, 6, and 0 for all others.",
        ),
        (
            "strain",
            "Strain",
            "Root mean square relative deviation of all bonds and angles from the target's: 0.05 means that they are "
            "off by about 5 %.",
        ),
    ),
    "Nets": (
        (
            "net",
            "Net",
            "What remains of a crystal when lengths and angles are forgotten: which atom is bonded to which, for ever "
            "repeated. Two crystals with one net differ by bending and stretching only.",
        ),
        (
            "net-key",
            "Net key",
            "A short text computed from a net. Equal nets have equal keys, whatever the cell, the origin or the order "
            "of atoms; crystals of layers share it whatever their stacking.",
        ),
        (
            "net-name",
            "Net name",
            "A symbol of three letters, such as srs or dia, that the Reticular Chemistry Structure Resource (RCSR) "
            "gives to nets which are known.",
        ),
        (
            "coordination-sequence",
            "Coordination sequence",
            "How many atoms one reaches from an atom in one step along bonds, in two, in three and so on. For "
            "graphite: 3, 6, 9, 12, ...",
        ),
        (
            "ring",
            "Ring",
            "A shortest closed way along bonds through two bonds of an atom. Graphite has rings of six.",
        ),
        (
            "periodicity",
            "Periodicity",
            "In how many directions a net goes on without end: 3 in a framework, 2 in layers, 1 in chains, 0 in cages.",
        ),
        (
            "kind",
            "Framework, layers, chains, cages",
            "What a crystal consists of. A framework is one net that goes on in all directions; interpenetrated are "
            "several nets through each other without a bond between them; a mixture has parts of different kinds.",
        ),
    ),
    "What became of a row": (
        (
            "row",
            "Row",
            "A crystal as a line of a table: space group, cell, and for each site its Wyckoff position and "
            "coordinates. A model learns rows and makes rows.",
        ),
        (
            "undecodable",
            "Undecodable",
            "The row is no crystal, for instance because its space group has no such position. Its reason is kept.",
        ),
        (
            "valid",
            "Valid",
            "Every atom has the wanted environment by the strict criterion: the right number of bonds, each within its "
            "limits, no further atom in the gap behind them, no angle too small, and no overlap.",
        ),
        (
            "strict",
            "Strict",
            "The criterion of valid, used everywhere here. For sp2 carbon: 3 bonds of 1.22 to 1.70 Å, no other atom "
            "nearer than 1.90 Å, no angle below 80 degrees.",
        ),
        (
            "published",
            "Published criterion",
            "The weaker criterion of the papers: each atom has exactly three neighbours within 1.872 Å. It is kept "
            "beside the strict one for comparison.",
        ),
        (
            "invalid",
            "Invalid",
            "A crystal that is not valid after relaxation. The first test that fails is the reason.",
        ),
        (
            "known",
            "Known",
            "Valid, and its net is in the training set or in the reference set.",
        ),
        (
            "duplicate",
            "Duplicate",
            "Valid and not known, but its net came up before in this workspace.",
        ),
        (
            "new",
            "New",
            "Valid, not known and no duplicate: a net that was neither learnt from nor made before.",
        ),
        (
            "unique",
            "Unique",
            "How many different nets there are among some crystals, each counted once.",
        ),
        (
            "novelty",
            "Novelty",
            "The first that holds: in the training set, in the reference set, a known net (it has a name in RCSR), "
            "or new.",
        ),
        (
            "distance",
            "Distance to known crystals",
            "How differently the atoms of two crystals are arranged, in angstrom: 0 for the same crystal, below about "
            "0.15 usually the same to the eye.",
        ),
    ),
    "Making crystals": (
        (
            "training-set",
            "Training set",
            "The known crystals that a model learns from. A reference set holds crystals that count as known but are "
            "not learnt from.",
        ),
        (
            "augmentation",
            "Augmentation",
            "Writing each known crystal in many ways (in subgroups, with other axes and origins), so that a model sees "
            "many examples.",
        ),
        (
            "features",
            "Features",
            "The numbers that a row becomes before a network can learn it.",
        ),
        (
            "mixture",
            "Gaussian mixture",
            "A sum of bell curves, called components, that describes how the values of a column are spread.",
        ),
        (
            "model",
            "Generative model",
            "A program that learns a table and then makes new rows of the same kind. VAE (variational autoencoder), "
            "GAN (generative adversarial network) and Transformer are kinds of neural network. Two learn limits only: "
            "the random generator, the yardstick that others have to beat, and surfaces, which puts atoms at random "
            "on minimal surfaces.",
        ),
        (
            "minimal-surface",
            "Minimal surface",
            "A surface that is saddle-shaped everywhere and divides space in two, such as Schwarz' P. "
            "Three-coordinated nets with little strain lie on such surfaces (schwarzites), so that atoms which start "
            "there often end in crystals of low energy.",
        ),
        (
            "epoch",
            "Epoch",
            "One pass over all rows of the table while a model trains.",
        ),
        (
            "held-out",
            "Held-out rows",
            "Rows that a model never learns from. If it does worse on them than on the others, it learns by heart.",
        ),
        (
            "fresh-samples",
            "Fresh samples",
            "Rows drawn while the model trains, relaxed shortly and judged, to see how many become valid.",
        ),
        (
            "sample",
            "Sample",
            "A row drawn from a trained model.",
        ),
        (
            "temperature",
            "Temperature",
            "How boldly rows are drawn: below 1 they are more like the training table, above 1 more unlike it. It has "
            "nothing to do with heat.",
        ),
        (
            "relaxation",
            "Relaxation",
            "Moving the atoms and the cell of a crystal, step by step, until every atom has the wanted environment or, "
            "with a potential, until the energy is lowest. The symmetry is kept throughout.",
        ),
        (
            "seed",
            "Seed",
            "A number from which all random choices follow. The same seed gives the same result.",
        ),
    ),
    "Energy and electrons": (
        (
            "potential",
            "Machine-learned potential",
            "A network that has learnt from quantum calculations which energy and forces an arrangement of atoms has. "
            "SevenNet's are used here: 7net-0 is faster, 7net-l3i5 more exact.",
        ),
        (
            "energy",
            "Energy above reference",
            "By how much an atom is less stable than in the reference crystal of the target, in eV per atom, with the "
            "same potential. The reference is graphite for both carbon targets and, for a target of another element, "
            "the crystal that it was made of. Dispersion is left out on both sides.",
        ),
        (
            "low-energy",
            "Low energy",
            "A new framework that keeps its net when it is relaxed with the potential, ends converged, and lies less "
            "above the reference than the limit of the run, 0.5 eV/atom by default.",
        ),
        (
            "dispersion",
            "Dispersion",
            "The weak attraction that holds layers together where there is no bond. It sets the distance of layers "
            "here, and its energy stands in a column of its own.",
        ),
        (
            "rattle",
            "Shaking test",
            "Every atom is moved by 0.1 Å at random and the crystal relaxed again without symmetry. What comes back "
            "is not held up by its symmetry alone.",
        ),
        (
            "gap",
            "Gap",
            "The energies between the highest level that electrons fill and the lowest empty one, in eV. A crystal "
            "with a gap is a semiconductor; if levels touch or overlap a little it is a semimetal, else a metal.",
        ),
        (
            "tight-binding",
            "Tight binding",
            "A quick model of the electrons, with one orbital for each atom of sp2 carbon.",
        ),
        (
            "dft",
            "Density functional theory (DFT)",
            "The usual quantum calculation of a crystal: exact enough to publish, slow enough to be done for a few "
            "crystals only.",
        ),
        (
            "powder-pattern",
            "Powder pattern",
            "How strongly a powder of the crystal scatters X-rays at each angle: its fingerprint in the laboratory.",
        ),
    ),
    "The program": (
        (
            "workspace",
            "Workspace",
            "The folder where everything you make is kept: the jobs and the database.",
        ),
        (
            "job",
            "Job",
            "A piece of work that runs in a process of its own and goes on when the page is closed. A job that was "
            "stopped can be resumed; finished parts are not done again.",
        ),
        (
            "preset",
            "Preset",
            "A set of settings for all stages: quick, standard or thorough.",
        ),
        (
            "core",
            "Core and CPU-s",
            "A computer's processor has several cores, each of which does one thing at a time. A CPU-s is one second "
            "of one core's work.",
        ),
        (
            "unit-energy",
            "eV/atom",
            "Electron volt per atom, a unit of energy: 1 eV/atom is 96.5 kJ/mol of atoms.",
        ),
    ),
}
TERMS: dict[str, Term] = {
    slug: Term(slug, name, text, chapter) for chapter, terms in _CHAPTERS.items() for slug, name, text in terms
}
"""Every term by its slug, chapter by chapter."""


def address(slug: str) -> str:
    """Where the glossary explains a term; raises ValueError for one that it does not have."""
    if slug not in TERMS:
        raise ValueError(f"the glossary has no term {slug!r}: add it to legocryst/vocabulary/glossary.py")
    return f"/glossary#{slug}"


def link(slug: str, text: str = "") -> str:
    """A term as a link in Markdown, with its name or another text."""
    target = address(slug)
    return f"[{text or TERMS[slug].name}]({target})"


QUANTITY_TERMS: dict[str, str] = {
    **{"spg": "space-group", "space_group": "space-group", "symbol": "space-group", "written_group": "space-group"},
    **{"t_index": "subgroup", "k_index": "subgroup", "basis": "subgroup", "strain": "strain", "loss": "loss"},
    **{"loss_before": "loss", "class": "new", "status": "valid", "reason": "invalid", "published": "published"},
    **{"net_key": "net-key", "net_name": "net-name", "kind": "kind", "periodicity": "periodicity", "rings": "ring"},
    **{"ring": "ring", "sites": "wyckoff-site", "density": "density", "novelty": "novelty", "nearest": "distance"},
    **{"nearest_distance": "distance", "energy": "energy", "low_energy": "low-energy", "dispersion": "dispersion"},
    **{"rattle_kept": "rattle", "rattle_energy": "rattle", "gap": "gap", "band_class": "gap", "dft_gap": "dft"},
    **{"energy_model": "potential", "epoch": "epoch", "held_out": "held-out", "valid": "fresh-samples"},
    **{"seed": "seed", "threads": "core", "target": "target", "model": "model", "job": "job"},
}
"""Term that explains a column of `quantities`, where the help of the column is not enough."""
