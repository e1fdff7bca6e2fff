"""The descriptors against METHOD's reference vectors, an independent definition, and their invariances."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from scipy.special import sph_harm_y

from legocryst.environment.descriptors import (
    DESCRIPTORS,
    angular_fourier_series,
    cosine_cutoff,
    descriptor,
    features,
    piecewise_cubics,
    radial_basis,
    radial_distribution,
    radial_functions,
    radial_grid,
    reference,
    spectra,
)
from legocryst.environment.neighbors import Edges, neighbor_list
from legocryst.environment.target import DescriptorSettings
from legocryst.environment.target_library import target

SP2 = target("sp2-carbon")

GRAPHITE = {
    2.1: "16.699144 0 2.177401 1.796298 .096962 -1.971523 0 -.619228 -.635147 -.03978 .232761 0 .176101 .224579 .01632",
    2.0: "9.765679 0 1.199669 .947122 .04867 -1.281692 0 -.359841 -.349054 -.020649 .168215 0 .107934 .128641 .008761",
}


@pytest.mark.parametrize("r_cut", GRAPHITE)
def test_graphite_reference_vector(r_cut: float) -> None:
    graphite = SP2.reference.crystals()
    expected = np.array(GRAPHITE[r_cut].split(), float)
    assert np.abs(spectra(graphite, DescriptorSettings(r_cut=r_cut))[0] - expected).max() < 1e-5


def _edges(vectors: np.ndarray) -> Edges:
    zero = np.zeros(len(vectors), np.int64)
    return Edges(zero, np.arange(len(vectors)), np.zeros_like(vectors), vectors, np.linalg.norm(vectors, axis=1))


def _features(kind: str, vectors: np.ndarray, species: np.ndarray) -> np.ndarray:
    return features(descriptor(kind, DescriptorSettings()), _edges(vectors), species, 1)[0]


def _cloud(rng: np.random.Generator) -> np.ndarray:
    direction = rng.normal(size=(6, 3))
    return direction / np.linalg.norm(direction, axis=1, keepdims=True) * rng.uniform(0.8, 2.05, (6, 1))


def test_power_spectrum_equals_the_sum_over_spherical_harmonics() -> None:
    settings, rng = DescriptorSettings(), np.random.default_rng(3)
    vectors, species = _cloud(rng), np.array([6, 7, 5, 6, 14, 8])
    r = np.linalg.norm(vectors, axis=1)
    theta, phi = np.arccos(vectors[:, 2] / r), np.arctan2(vectors[:, 1], vectors[:, 0])
    h = radial_functions(r, settings) * species[:, None, None]
    expected = []
    for n, m in ((0, 0), (1, 0), (1, 1)):
        for level in range(5):
            harmonics = np.array([sph_harm_y(level, k, theta, phi) for k in range(-level, level + 1)])
            c = [(harmonics * h[:, a, level]).sum(1) * np.sqrt(4 * np.pi / (2 * level + 1)) for a in (n, m)]
            expected.append((c[0] * c[1].conj()).sum().real)
    ours = _features("power_spectrum", vectors, species)
    assert np.allclose(ours, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", DESCRIPTORS)
def test_descriptors_are_invariant_under_rotation_and_order(kind: str) -> None:
    rng = np.random.default_rng(0)
    vectors = _cloud(rng)
    species = np.full(6, 6)
    turned = Rotation.random(rng=rng).apply(vectors)[rng.permutation(6)]
    before, after = (_features(kind, v, species) for v in (vectors, turned))
    assert np.abs(before).max() > 0.1
    assert np.allclose(before, after, rtol=1e-10, atol=1e-10)


def test_angular_fourier_descriptor_equals_its_definition() -> None:
    settings = DescriptorSettings()
    vectors = _cloud(np.random.default_rng(7))
    r = np.linalg.norm(vectors, axis=1)
    g = radial_basis(r, settings) * cosine_cutoff(r, settings.r_cut)
    theta = np.arccos(np.clip((vectors @ vectors.T) / np.outer(r, r), -1, 1))
    levels = range(settings.l_max + 1)
    expected = [np.einsum("j,k,jk", row, row, np.cos(level * theta)) for row in g for level in levels]
    ours = _features("angular_fourier", vectors, np.full(6, 6))
    assert np.allclose(ours, expected, rtol=1e-7, atol=1e-7)


def test_radial_distribution_descriptor_is_the_square_of_the_curve() -> None:
    settings = DescriptorSettings()
    vectors = _cloud(np.random.default_rng(8))
    r = np.linalg.norm(vectors, axis=1)
    curve = radial_distribution(r, radial_grid(settings), width=0.1, each=True)
    expected = (curve * cosine_cutoff(r, settings.r_cut)[:, None]).sum(axis=0) * np.sqrt(0.1)
    ours = _features("radial_distribution", vectors, np.full(6, 6))
    assert np.allclose(ours, expected, rtol=1e-6, atol=1e-6)


def test_radial_table_and_its_slope_agree_with_quadrature() -> None:
    settings = DescriptorSettings()
    r = np.linspace(0.05, 2.09, 300)
    cubic = piecewise_cubics(lambda x: radial_functions(x, settings).reshape(len(x), -1), settings.r_cut)
    width = settings.r_cut / len(cubic)
    interval = (r / width).astype(int)
    t = (r / width - interval)[:, None]
    c0, c1, c2, c3 = np.moveaxis(cubic[interval], 1, 0)
    values, slopes = c0 + t * (c1 + t * (c2 + t * c3)), (c1 + t * (2 * c2 + 3 * t * c3)) / width
    exact = radial_functions(r, settings).reshape(300, -1)
    step = 1e-3
    ahead = [radial_functions(r + k * step, settings).reshape(300, -1) for k in (-2, -1, 1, 2)]
    numeric = (ahead[0] - 8 * ahead[1] + 8 * ahead[2] - ahead[3]) / (12 * step)
    assert np.abs(values - exact).max() < 1e-8 * np.abs(exact).max()
    assert np.abs(slopes - numeric).max() < 1e-6 * np.abs(numeric).max()


def test_radial_distribution_of_graphite_has_three_neighbours_at_its_bond_length() -> None:
    graphite = SP2.reference.crystals()
    edges = neighbor_list(graphite, 2.1)
    r = np.linspace(0, 3, 3001)
    curve = radial_distribution(edges.distance[edges.site == 0], r)
    assert np.trapezoid(curve, r) == pytest.approx(3, abs=1e-6)
    assert r[curve.argmax()] == pytest.approx(1.42, abs=0.002)


def test_angular_fourier_series_of_a_flat_trigonal_site() -> None:
    edges = neighbor_list(SP2.reference.crystals(), 1.6)
    series = angular_fourier_series(edges.vector[edges.site == 0], 6)
    assert np.allclose(series, [9, 0, 0, 9, 0, 0, 9], atol=1e-6)


def test_reference_spectrum_is_cached_by_target() -> None:
    assert reference(SP2) is reference(SP2)
    assert not np.allclose(reference(target("sp3-carbon")), reference(SP2))
