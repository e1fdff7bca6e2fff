"""Papers that a run rests on, as text and as BibTeX."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reference:
    """A paper, or a program, to cite."""

    key: str
    authors: tuple[str, ...]  # "Family, Given"
    title: str
    where: str  # journal, volume, page; or the address of a preprint
    year: int
    kind: str = "article"
    doi: str = ""
    arxiv: str = ""

    @property
    def text(self) -> str:
        """One line for a list of references."""
        names = [_initials(author) for author in self.authors]
        listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        parts = [listed, f"{self.title}, {self.where} ({self.year})" if self.where else f"{self.title} ({self.year})"]
        parts += [f"doi:{self.doi}"] if self.doi else [f"arXiv:{self.arxiv}"] if self.arxiv else []
        return ", ".join(parts) + "."

    @property
    def bibtex(self) -> str:
        """The BibTeX entry."""
        fields = {"author": " and ".join(self.authors), "title": f"{{{self.title}}}", "year": str(self.year)}
        fields |= {_PLACES[self.kind]: self.where} if self.where else {}
        fields |= {"doi": self.doi} if self.doi else {}
        fields |= {"eprint": self.arxiv, "archiveprefix": "arXiv"} if self.arxiv else {}
        lines = ",\n".join(f"  {name} = {{{_latex(value)}}}" for name, value in fields.items())
        return f"@{self.kind}{{{self.key},\n{lines}\n}}"


def bibtex(references: Sequence[Reference]) -> str:
    """A BibTeX file."""
    return "\n\n".join(reference.bibtex for reference in references) + "\n"


def _initials(author: str) -> str:
    family, _, given = author.strip("{}").partition(", ")
    short = " ".join("-".join(f"{part[0]}." for part in name.split("-")) for name in given.split())
    return f"{short} {family}".strip()


def _latex(text: str) -> str:
    signs = {
        "ø": r"{\o}",
        "é": r"{\'e}",
        "è": r"{\`e}",
        "ó": r"{\'o}",
        "á": r"{\'a}",
        "ö": r"{\"o}",
        "ü": r"{\"u}",
        "&": r"\&",
    }
    return "".join(signs.get(sign, sign) for sign in text)


_PLACES = {"article": "journal", "inproceedings": "booktitle", "book": "publisher", "misc": "howpublished"}
_LEGO = ("Ridwan, Osman Goni", "Frapper, Gilles", "Xue, Hongfei", "Zhu, Qiang")
_ALL = (
    Reference(
        "legoxtal",
        (
            *("Ridwan, Osman Goni", "Pitié, Sylvain", "Raj, Monish Soundar", "Dai, Dong", "Frapper, Gilles"),
            *("Xue, Hongfei", "Zhu, Qiang"),
        ),
        "AI-Assisted Rapid Crystal Structure Generation Towards a Target Local Environment",
        "npj Computational Materials",
        2026,
        doi="10.1038/s41524-025-01931-9",
        arxiv="2506.08224",
    ),
    Reference(
        "legoxtal2",
        _LEGO,
        "Crystal Generation using the Fully Differentiable Pipeline and Latent Space Optimization",
        "",
        2026,
        kind="misc",
        arxiv="2601.04606",
    ),
    Reference(
        "rcsr",
        ("O'Keeffe, Michael", "Peskov, Maxim A", "Ramsden, Stuart J", "Yaghi, Omar M"),
        "The Reticular Chemistry Structure Resource (RCSR) Database of, and Symbols for, Crystal Nets",
        "Acc. Chem. Res. 41, 1782",
        2008,
        doi="10.1021/ar800124u",
    ),
    Reference(
        "ctgan",
        ("Xu, Lei", "Skoularidou, Maria", "Cuesta-Infante, Alfredo", "Veeramachaneni, Kalyan"),
        "Modeling Tabular Data using Conditional GAN",
        "NeurIPS",
        2019,
        kind="inproceedings",
        arxiv="1907.00503",
    ),
    Reference(
        "wgan",
        ("Gulrajani, Ishaan", "Ahmed, Faruk", "Arjovsky, Martin", "Dumoulin, Vincent", "Courville, Aaron"),
        "Improved Training of Wasserstein GANs",
        "NeurIPS",
        2017,
        kind="inproceedings",
        arxiv="1704.00028",
    ),
    Reference(
        "vae",
        ("Kingma, Diederik P", "Welling, Max"),
        "Auto-Encoding Variational Bayes",
        "ICLR",
        2014,
        kind="inproceedings",
        arxiv="1312.6114",
    ),
    Reference(
        "cvae",
        ("Sohn, Kihyuk", "Lee, Honglak", "Yan, Xinchen"),
        "Learning Structured Output Representation using Deep Conditional Generative Models",
        "NeurIPS",
        2015,
        kind="inproceedings",
    ),
    Reference(
        "transformer",
        (
            *("Vaswani, Ashish", "Shazeer, Noam", "Parmar, Niki", "Uszkoreit, Jakob", "Jones, Llion"),
            *("Gomez, Aidan N", "Kaiser, Lukasz", "Polosukhin, Illia"),
        ),
        "Attention Is All You Need",
        "NeurIPS",
        2017,
        kind="inproceedings",
        arxiv="1706.03762",
    ),
    Reference(
        "power_spectrum",
        ("Bartók, Albert P", "Kondor, Risi", "Csányi, Gábor"),
        "On Representing Chemical Environments",
        "Phys. Rev. B 87, 184115",
        2013,
        doi="10.1103/PhysRevB.87.184115",
    ),
    Reference(
        "guidance",
        ("Ho, Jonathan", "Salimans, Tim"),
        "Classifier-Free Diffusion Guidance",
        "arXiv",
        2022,
        arxiv="2207.12598",
    ),
    Reference(
        "lbfgs",
        ("Liu, Dong C", "Nocedal, Jorge"),
        "On the Limited Memory BFGS Method for Large Scale Optimization",
        "Math. Program. 45, 503",
        1989,
        doi="10.1007/BF01589116",
    ),
    Reference(
        "adam",
        ("Kingma, Diederik P", "Ba, Jimmy"),
        "Adam: A Method for Stochastic Optimization",
        "ICLR",
        2015,
        kind="inproceedings",
        arxiv="1412.6980",
    ),
    Reference(
        "muon",
        ("Liu, Jingyuan", "Su, Jianlin", "others"),
        "Muon is Scalable for LLM Training",
        "arXiv",
        2025,
        arxiv="2502.16982",
    ),
    Reference(
        "spglib",
        ("Togo, Atsushi", "Shinohara, Kohei", "Tanaka, Isao"),
        "Spglib: a Software Library for Crystal Symmetry Search",
        "Sci. Technol. Adv. Mater.: Methods 4, 2384822",
        2024,
        doi="10.1080/27660400.2024.2384822",
    ),
    Reference(
        "nets",
        ("Delgado-Friedrichs, Olaf", "O'Keeffe, Michael"),
        "Identification of and Symmetry Computation for Crystal Nets",
        "Acta Cryst. A 59, 351",
        2003,
        doi="10.1107/S0108767303012017",
    ),
    Reference(
        "pdd",
        ("Widdowson, Daniel", "Kurlin, Vitaliy"),
        "Resolving the Data Ambiguity for Periodic Crystals",
        "NeurIPS",
        2022,
        kind="inproceedings",
        arxiv="2108.04798",
    ),
    Reference(
        "sevennet",
        ("Park, Yutack", "Kim, Jaesun", "Hwang, Seungwoo", "Han, Seungwu"),
        "Scalable Parallel Algorithm for Graph Neural Network Interatomic Potentials in Molecular Dynamics Simulations",
        "J. Chem. Theory Comput. 20, 4857",
        2024,
        doi="10.1021/acs.jctc.4c00190",
    ),
    Reference(
        "d3",
        ("Grimme, Stefan", "Antony, Jens", "Ehrlich, Stephan", "Krieg, Helge"),
        "A Consistent and Accurate Ab Initio Parametrization of Density Functional Dispersion Correction (DFT-D) for "
        "the 94 Elements H-Pu",
        "J. Chem. Phys. 132, 154104",
        2010,
        doi="10.1063/1.3382344",
    ),
    Reference(
        "gaussian_process",
        ("Rasmussen, Carl Edward", "Williams, Christopher K I"),
        "Gaussian Processes for Machine Learning",
        "MIT Press",
        2006,
        kind="book",
    ),
    Reference(
        "pyxtal",
        ("Fredericks, Scott", "Parrish, Kevin", "Sayre, Dean", "Zhu, Qiang"),
        "PyXtal: A Python Library for Crystal Structure Generation and Symmetry Analysis",
        "Comput. Phys. Commun. 261, 107810",
        2021,
        doi="10.1016/j.cpc.2020.107810",
    ),
    Reference(
        "tight_binding",
        ("Trambly de Laissardière, Guy", "Mayou, Didier", "Magaud, Laurence"),
        "Localization of Dirac Electrons in Rotated Graphene Bilayers",
        "Nano Lett. 10, 804",
        2010,
        doi="10.1021/nl902948m",
    ),
    Reference(
        "mackay",
        ("Mackay, Alan L.", "Terrones, Humberto"),
        "Diamond from graphite",
        "Nature 352, 762",
        1991,
        doi="10.1038/352762a0",
    ),
    Reference(
        "nodal",
        ("von Schnering, Hans Georg", "Nesper, Reinhard"),
        "Nodal surfaces of Fourier series: Fundamental invariants of structured matter",
        "Z. Phys. B 83, 407",
        1991,
        doi="10.1007/BF01313411",
    ),
    Reference(
        "gpaw",
        ("Mortensen, Jens Jørgen", "Larsen, Ask Hjorth", "Kuisma, Mikael", "others"),
        "GPAW: An Open Python Package for Electronic Structure Calculations",
        "J. Chem. Phys. 160, 092503",
        2024,
        doi="10.1063/5.0182685",
    ),
)
REFERENCES: dict[str, Reference] = {reference.key: reference for reference in _ALL}
"""Every reference by its key."""


def work(key: "str | Reference") -> Reference:
    """The reference of a key; one that is written out stands for itself."""
    return key if isinstance(key, Reference) else REFERENCES[key]


def program(version: str) -> Reference:
    """LEGO-Cryst itself, as CITATION.cff says."""
    title = "LEGO-Cryst: generate crystals whose every atom has a wanted local environment"
    return Reference("legocryst", ("{The LEGO-Cryst developers}",), title, f"version {version}", 2026, kind="misc")
