"""SevenNet, a machine-learned potential trained on DFT (PBE) whose weights ship in its wheel, for symmetric crystals.

Park et al., J. Chem. Theory Comput. 20, 4857 (2024). Atoms that a rotation of the space group carries into each other
have features that the same rotation carries into each other, so that each orbit of the rotations is computed once and
its other atoms by Wigner matrices: the work grows with the sites, not with the atoms, and the energy is the same. The
models are not built to be the same for a crystal and its mirror image (the energies differ by up to 10 meV/atom), so
that mirrors, inversions and the like carry nothing.
"""

import warnings
from typing import Any

import numpy as np
import sevenn._keys as key
import torch
from sevenn.nn.convolution import message_gather
from sevenn.util import load_checkpoint

from legocryst.crystal.crystals import Crystals
from legocryst.crystal.symmetry.primitive import rotation_orbits
from legocryst.crystal.symmetry.wyckoff import wyckoff
from legocryst.environment.neighbors import find_neighbors
from legocryst.vocabulary.registry import PotentialSpec

EXACTER = PotentialSpec(
    name="7net-l3i5",
    loads="SevenNet",
    title="SevenNet 7net-l3i5",
    help="SevenNet, orders crystals better",
    order=10,
    cites=("sevennet",),
    packages=("sevenn",),
    extra="energy",
    elements="H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr "
    "Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir "
    "Pt Au Hg Tl Pb Bi Ac Th Pa U Np Pu",
    reach=5.0,
    seconds=(0.07, 6.0e-4),
)
FASTER = PotentialSpec(
    name="7net-0",
    loads="SevenNet",
    title="SevenNet 7net-0",
    help="SevenNet, two to three times faster",
    order=20,
    cites=("sevennet",),
    packages=("sevenn",),
    extra="energy",
    elements="H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr "
    "Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir "
    "Pt Au Hg Tl Pb Bi Ac Th Pa U Np Pu",
    reach=5.0,
    seconds=(0.035, 2.5e-4),
)

_NODE, _TURN = "node_of_atom", "turn_of_atom"
_BONDS = 128
"""Neighbours of an atom for which there is room at first."""


class SevenNet:
    """A model by its name; `of` gives the energy of a crystal as a function of its geometry."""

    def __init__(self, name: str) -> None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="No tensor product accelerator")
            self.network: Any = load_checkpoint(name).build_model()
        self.network.set_is_batch_data(False)
        self.network.eval().requires_grad_(False)
        for module, layer in list(self.network.named_children()):
            if module.endswith("_convolution"):
                self.network.replace_module(module, _Convolution(layer))
        # the sum over atoms and the forces are ours
        for module in ("reduce_total_enegy", "force_output"):
            self.network.delete_module_by_key(module)
        self.cutoff = float(self.network.cutoff)

    @property
    def elements(self) -> frozenset[int]:
        """Atomic numbers that the model knows."""
        return frozenset(self.network.type_map or {})

    def of(self, crystals: Crystals, k: int) -> "Energy":
        """Return the energy of crystal k, which keeps its space group."""
        return Energy(self, crystals.take([k]))


class Energy:
    """Energy of one crystal in SevenNet, for any geometry with its space group and Wyckoff positions."""

    def __init__(self, model: SevenNet, crystal: Crystals) -> None:
        self._model = model
        node, via, centre = _nodes(crystal)
        self.centre = centre
        self._weight = torch.tensor(np.bincount(node), dtype=torch.float64)
        self._species = torch.tensor(crystal.atoms().species[centre])
        used, turn = np.unique(via, return_inverse=True)
        lattice = crystal.lattice[0].T
        rotation = wyckoff().general(int(crystal.group[0]))[0][used]
        cartesian = torch.tensor(lattice @ rotation @ np.linalg.inv(lattice))
        turns = [matrix[turn].to(_precision(model)) for matrix in _turns(model, cartesian)]
        self._of_atom = {_NODE: torch.tensor(node), _TURN: turns}

    def __call__(self, lattice: np.ndarray, fractional: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return energy (eV) of the conventional cell, and its gradients over the lattice (3, 3) and the atoms (a, 3).

        `lattice` has rows a, b, c in angstrom, `fractional` (a, 3) all atoms in the crystal's order. The gradients are
        right for changes that keep the space group (`legocryst.relax.system.pull_back` takes them).
        """
        node, atom, image = self._neighbors(lattice, fractional)
        centre = self.centre[node]
        offset = fractional[atom] - fractional[centre] + image
        vector = torch.tensor(offset @ lattice, dtype=_precision(self._model), requires_grad=True)
        graph = {
            key.ATOMIC_NUMBERS: self._species,
            key.NODE_FEATURE: self._species,
            key.EDGE_VEC: vector,
            key.EDGE_IDX: torch.tensor(np.stack([node, atom])),
            **self._of_atom,
        }
        each = self._model.network(graph)[key.ATOMIC_ENERGY].double().squeeze(1)
        energy = (self._weight * each).sum()
        force = torch.autograd.grad(energy, vector)[0].double().numpy()
        pull = np.zeros_like(fractional)
        np.add.at(pull, atom, force @ lattice.T)
        np.add.at(pull, centre, -force @ lattice.T)
        return energy.item(), offset.T @ force, pull

    def _neighbors(self, lattice: np.ndarray, fractional: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return node, atom and image of every pair within the cutoff whose first atom is a node's."""
        room, count = _BONDS * len(self.centre), np.zeros(len(self.centre), np.int64)
        while True:
            atom, image, distance = np.empty(room, np.int64), np.empty((room, 3)), np.empty(room)
            at = 0
            for n, centre in enumerate(self.centre):
                begin, (last, cutoff) = at, (len(fractional), self._model.cutoff)
                at = find_neighbors(lattice, fractional, 0, last, centre, cutoff, begin, atom, image, distance)
                count[n] = at - begin
                if at < 0:
                    break
            if at >= 0:
                return np.repeat(np.arange(len(count)), count), atom[:at], image[:at]
            room *= 2


class _Convolution(torch.nn.Module):
    """A convolution of SevenNet whose messages come from all atoms and go to the nodes."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer
        self.irreps = layer.convolution.irreps_in1

    def forward(self, data: dict[str, Any]) -> dict[str, Any]:
        layer, x = self.layer, data[self.layer.key_x]
        node, atom = data[layer.key_edge_idx]
        message = layer.convolution(
            self._of_atoms(x[data[_NODE]], data[_TURN])[atom],
            data[layer.key_filter],
            layer.weight_nn(data[layer.key_weight_input]),
        )
        data[layer.key_x] = message_gather(x, node, message).div(layer.denominator)
        return data

    def _of_atoms(self, x: torch.Tensor, turn: list[torch.Tensor]) -> torch.Tensor:
        """Return features (a, f) of all atoms, turned from those of their nodes."""
        parts = []
        for (copies, irrep), place in zip(self.irreps, self.irreps.slices(), strict=True):
            part = x[:, place]
            if irrep.l:
                part = torch.bmm(part.reshape(len(x), copies, irrep.dim), turn[irrep.l]).reshape(len(x), -1)
            parts.append(part)
        return torch.cat(parts, dim=1)


def _precision(model: SevenNet) -> torch.dtype:
    return next(model.network.parameters()).dtype


def _turns(model: SevenNet, rotation: torch.Tensor) -> list[torch.Tensor]:
    """Return matrices (k, 2 l + 1, 2 l + 1) of rotations (k, 3, 3), for each l, that turn rows of features of it.

    Read off the model's own spherical harmonics: Y(R v) = Y(v) M for all v.
    """
    harmonics = model.network.edge_embedding.spherical
    points = torch.tensor(np.random.default_rng(0).normal(size=(64, 3)))
    before, after = harmonics(points), harmonics(torch.einsum("kij,pj->kpi", rotation, points))
    return [torch.linalg.pinv(before[:, part]) @ after[..., part] for part in harmonics.irreps_out.slices()]


def _nodes(crystal: Crystals) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each atom's node (a,), the operation (a,) that leads from its node there, and each node's atom (n,)."""
    node, via, centre = [], [], []
    nodes = atoms = 0
    for position_id in crystal.position_id:
        orbit, operation, first = rotation_orbits(int(position_id))
        node.append(nodes + orbit)
        via.append(operation)
        centre.append(atoms + first)
        nodes, atoms = nodes + len(first), atoms + len(orbit)
    return np.concatenate(node), np.concatenate(via), np.concatenate(centre)
