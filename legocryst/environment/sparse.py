"""Sparse matrices of torch: products whose every number is the same, to the last bit, in any batch.

Dense matrix products take other kernels, and round otherwise, for other batch sizes.
"""

import warnings

import scipy.sparse
import torch
from torch import Tensor

# torch says both once, when the first sparse matrix is made
warnings.filterwarnings("ignore", message="Sparse (CSR tensor support is in beta|invariant checks)")

_BLOCK = 512


def sparse(matrix: scipy.sparse.csr_matrix, device: torch.device | str = "cpu") -> Tensor:
    """A SciPy matrix as a tensor, float64."""
    parts = (torch.from_numpy(matrix.indptr), torch.from_numpy(matrix.indices), torch.from_numpy(matrix.data))
    return torch.sparse_csr_tensor(*parts, size=matrix.shape, device=device, check_invariants=False)


def product(matrix: Tensor, columns: Tensor) -> Tensor:
    """A sparse matrix times columns (k, n), by blocks of columns that stay in the processor's cache."""
    return torch.cat([matrix @ block for block in columns.split(_BLOCK, dim=1)], dim=1)
