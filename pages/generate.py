"""generate."""

from legocryst.ui import shell

shell.begin("generate")
