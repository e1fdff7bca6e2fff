"""Every test runs on one thread, so that its figures and times do not depend on the machine."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
