"""Powder patterns: what an X-ray diffractometer would show of a crystal, by pymatgen."""

from dataclasses import dataclass

import numpy as np

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.io.structures import to_structure
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.settings import PowderSettings


@dataclass(frozen=True, slots=True)
class Peak:
    """Reflections that fall together."""

    angle: float  # two theta, degrees
    intensity: float  # percent of the largest
    spacing: float  # angstrom
    planes: tuple[tuple[int, int, int], ...]  # h k l of the conventional cell, one of each family
    multiplicity: int  # planes that symmetry makes equal, of all families

    @property
    def label(self) -> str:
        """The families, as 1 0 -2 with bars."""
        return ", ".join("".join(_index(k) for k in plane) for plane in self.planes)


def powder(crystals: Crystals, i: int = 0, *, settings: PowderSettings | None = None) -> list[Peak]:
    """Return the peaks of crystal i in the order of angle; none where all are beyond the largest angle.

    Intensities have the atoms' scattering factors and the Lorentz and polarisation factors, no temperature factor
    (pymatgen's XRDCalculator).
    """
    from pymatgen.analysis.diffraction.xrd import XRDCalculator

    settings = settings or PowderSettings()
    limits = settings.min_angle, settings.max_angle
    if limits[0] >= limits[1]:
        raise ValueError(f"the smallest angle ({limits[0]:g}) is not below the largest ({limits[1]:g}): change one")
    pattern = XRDCalculator(wavelength=settings.radiation).get_pattern(
        to_structure(crystals, i), two_theta_range=limits
    )
    rotations = wyckoff().general(int(crystals.group[i]))[0]
    peaks = [
        Peak(
            float(angle),
            float(intensity),
            float(spacing),
            tuple(_named(family["hkl"], rotations) for family in families),
            sum(int(family["multiplicity"]) for family in families),
        )
        for angle, intensity, spacing, families in zip(pattern.x, pattern.y, pattern.d_hkls, pattern.hkls, strict=True)
    ]
    return [peak for peak in peaks if peak.intensity >= settings.min_intensity]


def likeness(one: list[Peak], other: list[Peak], *, width: float = 0.2) -> float:
    """Give how alike two patterns are, from 0 to 1: the cosine of their peaks as Gaussians of sigma `width` degrees."""

    def product(a: list[Peak], b: list[Peak]) -> float:
        apart = np.subtract.outer([peak.angle for peak in a], [peak.angle for peak in b])
        height = np.multiply.outer([peak.intensity for peak in a], [peak.intensity for peak in b])
        return float((height * np.exp(-((apart / (2 * width)) ** 2))).sum())

    norm = product(one, one) * product(other, other)
    return min(product(one, other) / float(np.sqrt(norm)), 1.0) if norm else 0.0


def _named(plane: tuple[int, ...], rotations: np.ndarray) -> tuple[int, int, int]:
    """Choose of planes that symmetry makes equal one without bars if there is one, and the largest indices."""
    hkl = np.array([plane[0], plane[1], plane[-1]])  # of hexagonal crystals pymatgen gives h k i l
    half = np.rint(hkl @ rotations).astype(int)
    equal = {(int(h), int(k), int(m)) for h, k, m in np.concatenate([half, -half])}
    return max(equal, key=lambda indices: (min(indices) >= 0, indices))


def _index(k: int) -> str:
    return str(k) if k >= 0 else "".join(f"{digit}\u0305" for digit in str(-k))
