"""structure."""

from legocryst.ui import shell

shell.begin("structure")
