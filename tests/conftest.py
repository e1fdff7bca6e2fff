"""Every test runs on one thread, so that its figures and times do not depend on the machine."""

import os
import sys
from collections.abc import Iterator

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """A page under test takes the place of the main module, which worker processes of later tests would run."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
