"""Every column once: its label, unit and help, for table headers, plot axes, tooltips, database and documentation."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["real", "integer", "text", "category", "truth", "vector"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A column: the name in tables and in the database, and what a reader sees."""

    name: str
    label: str
    unit: str = ""
    help: str = ""
    kind: Kind = "real"

    @property
    def header(self) -> str:
        """Label with unit: "Density (g/cm3)"."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


SITES = 8
"""Most Wyckoff sites of a row of METHOD's table."""
CELL_COLUMNS = ("a", "b", "c", "alpha", "beta", "gamma")
CRYSTAL_COLUMNS = ("spg", *CELL_COLUMNS, *(f"{name}{i}" for i in range(SITES) for name in ("wp", "x", "y", "z")))
"""METHOD's table of crystals of one element."""
ENERGY_COLUMNS = (
    *("energy", "rank", "low_energy", "relaxed", "net_kept", "coordination_kept", "converged", "energy_model"),
    *("energy_reason", "screen_energy", "energy_before", "relaxed_energy", "dispersion", "volume_change", "rmsd"),
    *("relax_steps", "force", "stress", "relax_reason", "relaxed_density", "relaxed_key", "relaxed_cif"),
    *("rattle_kept", "rattle_energy", "rattle_reason"),
    *("predicted_energy", "predicted_error", "energy_round", "screen_seconds"),
)
"""What the ranking says of a crystal."""
WITH_DENSITY = ("framework", "interpenetrated")
"""Kinds of crystals that have a density without a relaxation with dispersion."""
BAND_COLUMNS = ("gap", "band_class", "band_reason")
"""What tight binding says of a crystal."""
DFT_COLUMNS = (
    *("crystal_id", "dft_energy", "dft_gap", "dft_class", "dft_direct", "dft_atoms", "dft_steps", "dft_settings"),
    *("dft_convergence", "dft_bands", "dft_dos", "dft_density", "dft_versions", "dft_cif"),
)
"""What density functional theory says of a crystal."""


def header(name: str) -> str:
    """Return header of a column, its own name where it is not a known quantity."""
    return QUANTITIES[name].header if name in QUANTITIES else name


def _site(i: int) -> list[Quantity]:
    where = f"of site {i + 1}, as a fraction of the cell; -1 where the row has fewer sites."
    wyckoff = f"Wyckoff position of site {i + 1}: 0 is the general one, the last is letter a; -1: no such site."
    axes = [Quantity(f"{axis}{i}", f"{axis} {i + 1}", "", f"Coordinate {axis} {where}") for axis in "xyz"]
    return [Quantity(f"wp{i}", f"Position {i + 1}", "", wyckoff, "integer"), *axes]


_ALL = [
    # METHOD's table
    Quantity("spg", "Space group", "", "Number of the space group that the row is written in.", "integer"),
    *[Quantity(edge, edge, "Å", f"Edge {edge} of the conventional cell.") for edge in "abc"],
    *[
        Quantity(name, sign, "rad", f"Angle {name} of the conventional cell.")
        for name, sign in (("alpha", "α"), ("beta", "β"), ("gamma", "γ"))
    ],
    *[quantity for i in range(SITES) for quantity in _site(i)],
    Quantity("label", "Source crystal", "", "Number of the training crystal that the row was made from.", "integer"),
    Quantity("t_index", "Index t", "", "How many times fewer rotations the row's space group has.", "integer"),
    Quantity("k_index", "Index k", "", "How many times larger its primitive cell is than the crystal's.", "integer"),
    Quantity(
        "basis", "Basis", "", "Axes a, b, c of the row in those of the source crystal: the columns of P.", "category"
    ),
    *[
        Quantity(f"origin_{axis}", f"Origin {axis}", "", f"Origin of the row in the axes of the source: {axis} of p.")
        for axis in "xyz"
    ],
    Quantity("mirror", "Mirror image", "", "The row is the mirror image of a crystal that has another hand.", "truth"),
    Quantity("variant", "Variant", "", "The row was moved a little and relaxed in its subgroup.", "truth"),
    Quantity("deviation", "Deviation", "Å", "Farthest that an atom of the row is from the source's atom that it is."),
    # training set
    Quantity("number", "Number", "", "Number of the crystal in its training set.", "integer"),
    Quantity("name", "Name", "", "Name of the net, or of the file the crystal was read from.", "text"),
    Quantity("source", "Source", "", "Where the crystal comes from.", "text"),
    Quantity("licence", "Licence", "", "Licence under which the source is shared.", "text"),
    Quantity("rings", "Rings", "", "Sizes of the shortest rings at the angles of the net's vertices.", "category"),
    Quantity("ring", "Ring size", "", "Bonds of a shortest ring at an angle of a vertex.", "integer"),
    Quantity("strain", "Strain", "", "Root mean square relative deviation of bonds and angles from the target's."),
    Quantity("crystal", "Number", "", "Number of the crystal among those that were offered.", "integer"),
    Quantity("kept", "Kept", "", "Whether the crystal is in the training or reference set.", "truth"),
    Quantity(
        "detail",
        "Detail",
        "",
        "The reason in a sentence, which other crystal has the net, or how the file was read.",
        "text",
    ),
    Quantity("use", "Use", "", "training: learnt from; reference: only known, for novelty.", "category"),
    # a sampled crystal
    Quantity("id", "Crystal", "", "Permanent name of the crystal: its job and its row.", "text"),
    Quantity("row", "Row", "", "Number of the sampled row in its job.", "integer"),
    Quantity("class", "Class", "", "undecodable, invalid, known (in the training set), duplicate or new.", "category"),
    Quantity("status", "Status", "", "valid: the target's environment at every atom.", "category"),
    Quantity("reason", "Reason", "", "Why the row is not valid.", "category"),
    Quantity("shift", "Shift", "Å", "Farthest that a site moved to its Wyckoff position when the row was decoded."),
    Quantity("loss_before", "Loss as sampled", "", "Distance to the reference descriptor per atom before relaxation."),
    Quantity("loss", "Loss", "", "Distance to the reference descriptor per atom after relaxation."),
    Quantity("published", "Published criterion", "", "Three neighbours within 1.872 Å at each atom.", "truth"),
    Quantity("evaluations", "Evaluations", "", "How often the relaxation computed the loss.", "integer"),
    Quantity("restarts", "Restarts", "", "How often the relaxation began again before this result.", "integer"),
    Quantity("merged", "Merged sites", "", "Sites that moved onto a more special position than sampled.", "integer"),
    Quantity("written_group", "Sampled group", "", "Space group that the row was sampled in.", "integer"),
    Quantity("space_group", "Space group", "", "Space group found in the relaxed crystal (within 0.01 Å).", "integer"),
    Quantity("symbol", "Group symbol", "", "Hermann-Mauguin symbol of the space group.", "category"),
    Quantity("sites", "Sites", "", "Wyckoff sites of the crystal in its own space group.", "integer"),
    Quantity("atoms", "Atoms", "", "Atoms in the conventional cell.", "integer"),
    Quantity("density", "Density", "g/cm3", "Mass by volume; of layers only after a relaxation with dispersion."),
    Quantity(
        "net_key", "Net key", "", "Hash of the bond graph's canonical form: equal nets share it, others do not.", "text"
    ),
    Quantity("net_name", "Net", "", "RCSR symbol of the net, if it has one.", "text"),
    Quantity("kind", "Kind", "", "framework, layers, chains, cages, interpenetrated or a mixture.", "category"),
    Quantity("periodicity", "Periodicity", "", "Directions the net goes on in: 3 framework, 2 layers.", "integer"),
    # what a reader says of it
    Quantity("starred", "Starred", "", "Whether a reader gave it a star.", "truth"),
    Quantity("note", "Note", "", "What a reader wrote down.", "text"),
    # what is known of it
    Quantity(
        "novelty", "Novelty", "", "Net in the training set, in the reference set, named by RCSR, or new.", "category"
    ),
    Quantity("nearest", "Nearest known", "", "Known crystal whose atoms are arranged most like this one's.", "text"),
    Quantity("nearest_set", "Nearest is of", "", "The training, the reference or the shipped set.", "category"),
    Quantity(
        "nearest_distance",
        "Distance to known",
        "Å",
        "Earth mover's distance between distances of atoms, bonds scaled to the target's; layers without stacking.",
    ),
    Quantity("amd", "Average distances", "Å", "To every fifth of the nearest 100 atoms, averaged.", "vector"),
    # its energy
    Quantity(
        "energy",
        "Energy above reference",
        "eV/atom",
        "Relaxed, if the crystal was relaxed and kept its net, else as it stands; without dispersion. The reference is "
        "the crystal that the target names, graphite for carbon.",
    ),
    Quantity("rank", "Rank", "", "Place by energy among the new crystals of the job, 1 the lowest.", "integer"),
    Quantity(
        "low_energy",
        "Low energy",
        "",
        "A new framework that kept its net when relaxed and lies below the limit.",
        "truth",
    ),
    Quantity(
        "relaxed",
        "Relaxed by potential",
        "",
        "Whether it was relaxed once more, with the potential that gave the energy.",
        "truth",
    ),
    Quantity("net_kept", "Net kept", "", "Whether the relaxation with the potential left the net as it was.", "truth"),
    Quantity(
        "coordination_kept",
        "Coordination kept",
        "",
        "Whether each atom has as many bonds as the target wants.",
        "truth",
    ),
    Quantity("converged", "Converged", "", "Whether forces and stress became as small as asked for.", "truth"),
    Quantity("energy_model", "Energy model", "", "Machine-learned potential that gave the energy.", "category"),
    Quantity(
        "energy_reason", "No energy because", "", "Why the crystal has no energy; empty where it has one.", "category"
    ),
    Quantity("screen_energy", "Energy as it stands", "eV/atom", "Above the reference, by 7net-0, before relaxing."),
    Quantity("energy_before", "Energy before", "eV/atom", "Above the reference, by the energy model, before relaxing."),
    Quantity(
        "relaxed_energy",
        "Energy after",
        "eV/atom",
        "Above the reference, after relaxing, whatever the net became.",
    ),
    Quantity(
        "dispersion",
        "Dispersion energy",
        "eV/atom",
        "D3 energy of relaxed layers, chains, cages; in no other column.",
    ),
    Quantity("volume_change", "Volume change", "", "Relaxed volume divided by the volume before, less 1."),
    Quantity("rmsd", "Displacement", "Å", "Root mean square move of the atoms, beside the change of the cell."),
    Quantity("relax_steps", "Relaxation steps", "", "Energies computed for the relaxation.", "integer"),
    Quantity("force", "Largest force", "eV/Å", "On an atom at the end of the relaxation."),
    Quantity("stress", "Largest stress", "GPa", "Largest component at the end of the relaxation."),
    Quantity("relax_reason", "Not converged because", "", "Why the relaxation did not converge.", "category"),
    Quantity("relaxed_density", "Relaxed density", "g/cm3", "After the relaxation; layers have it too."),
    Quantity("relaxed_key", "Relaxed net key", "", "Net key after the relaxation.", "text"),
    Quantity("relaxed_cif", "Relaxed crystal", "", "The crystal after the relaxation, as CIF.", "text"),
    Quantity(
        "rattle_kept", "Came back", "", "Shaken by 0.1 Å and relaxed without symmetry: same net and energy.", "truth"
    ),
    Quantity("rattle_energy", "Change by shaking", "eV/atom", "Energy after the rattle test less that before."),
    Quantity("rattle_reason", "Rattle test", "", "Why it did not come back, or was not shaken.", "category"),
    Quantity(
        "predicted_energy",
        "Predicted energy",
        "eV/atom",
        "Energy as it stands, learnt from other crystals before its own was computed, if it was.",
    ),
    Quantity(
        "predicted_error", "Predicted error", "eV/atom", "About 90 % of energies lie within this of the predicted ones."
    ),
    Quantity(
        "energy_round",
        "Round",
        "",
        "In which its energy was computed: 1 drawn at random, later ones chosen by what was learnt.",
        "integer",
    ),
    Quantity("screen_seconds", "Cost of an energy", "CPU-s", "Estimated for its energy as it stands, by 7net-0."),
    # its bands
    Quantity("gap", "Gap", "eV", "Between filled and empty bands, by tight binding; 0 where they touch or overlap."),
    Quantity(
        "band_class",
        "Bands",
        "",
        "metal, semimetal (bands touch or overlap a little) or semiconductor, by tight binding.",
        "category",
    ),
    Quantity("band_reason", "No bands because", "", "Why tight binding gives no bands.", "category"),
    Quantity("crystal_id", "Crystal", "", "Name of the crystal, or of the file, that was computed.", "text"),
    Quantity("dft_energy", "DFT energy", "eV/atom", "On GPAW's scale, which only compares equal settings."),
    Quantity("dft_gap", "DFT gap", "eV", "Between filled and empty bands; 0 where they touch or overlap."),
    Quantity("dft_class", "DFT bands", "", "metal, semimetal or semiconductor.", "category"),
    Quantity("dft_direct", "Direct gap", "", "Highest filled and lowest empty level are at one k-point.", "truth"),
    Quantity("dft_atoms", "Atoms", "", "Atoms in the primitive cell that was computed.", "integer"),
    Quantity("dft_steps", "Steps", "", "Steps to the density that reproduces itself.", "integer"),
    Quantity("dft_settings", "DFT settings", "", "Settings of the calculation, as JSON.", "text"),
    Quantity("dft_convergence", "Convergence", "", "Last change of energy and density, and meshes, as JSON.", "text"),
    Quantity("dft_bands", "Path and bands", "", "Bands along the standard path, as JSON.", "text"),
    Quantity("dft_dos", "Density of states", "", "States per eV and atom by energy, as JSON.", "text"),
    Quantity("dft_density", "Charge density", "", "Valence electrons per cubic angstrom on a grid, as JSON.", "text"),
    Quantity("dft_versions", "DFT versions", "", "Versions of GPAW and its data, as JSON.", "text"),
    Quantity("dft_cif", "Computed crystal", "", "The crystal that was computed, as CIF.", "text"),
    # features
    Quantity("column", "Column", "", "Column of the table.", "text"),
    Quantity("encoding", "Encoding", "", "How the column became numbers.", "category"),
    Quantity("width", "Width", "", "Numbers that the column became.", "integer"),
    Quantity("components", "Components", "", "Gaussian components or categories, as JSON.", "text"),
    Quantity(
        "outliers", "Outliers", "", "Values far from all others, which a component of their own holds.", "integer"
    ),
    # training
    Quantity("epoch", "Epoch", "", "Passes over the table so far.", "integer"),
    Quantity("quantity", "Quantity", "", "What was measured after the epoch.", "category"),
    Quantity("value", "Value", "", "Its value."),
    Quantity("held_out", "Loss on held-out rows", "", "Loss on rows the network never learns from."),
    Quantity("decodable", "Decodable fresh samples", "", "Share of fresh samples that are crystals at all."),
    Quantity("valid", "Valid fresh samples", "", "Share of fresh samples that are valid after a short relaxation."),
    Quantity("distinct", "Distinct fresh nets", "", "Distinct valid nets as a share of the fresh samples."),
    Quantity("new", "New fresh nets", "", "Distinct valid nets outside the training set, as a share of the samples."),
    # jobs
    Quantity("job", "Job", "", "Name of the job, which begins with the time of its start.", "text"),
    Quantity("command", "Command", "", "What the job does: a whole run, or its stages up to one.", "category"),
    Quantity("target", "Target", "", "Wanted local environment.", "category"),
    Quantity("model", "Model", "", "Kind of generator.", "category"),
    Quantity("seed", "Seed", "", "Seed of all randomness of the job.", "integer"),
    Quantity("threads", "Cores", "", "Processor cores the job may use.", "integer"),
    Quantity("settings", "Settings", "", "All settings, as JSON.", "text"),
    Quantity("versions", "Versions", "", "Versions of the programs, as JSON.", "text"),
    Quantity("started", "Started", "", "When the job was made.", "text"),
    Quantity("state", "State", "", "queued, running, finished, stopped, failed or lost.", "category"),
    Quantity("summary", "Summary", "", "Counts of the finished job, as JSON.", "text"),
    # shards
    Quantity("path", "File", "", "Path of the Parquet file in the workspace.", "text"),
    Quantity("table", "Table", "", "Table of the database that the file went to.", "category"),
    Quantity("rows", "Rows", "", "Rows of the file.", "integer"),
]

QUANTITIES: dict[str, Quantity] = {quantity.name: quantity for quantity in _ALL}


def add_quantities(*more: Quantity) -> None:
    """Describe columns that only one stage has; raises ValueError for a name that means something else."""
    for quantity in more:
        if QUANTITIES.setdefault(quantity.name, quantity) != quantity:
            raise ValueError(f"there is a column {quantity.name!r} already: give yours another name")
