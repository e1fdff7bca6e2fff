"""data."""

from legocryst.ui import shell

shell.begin("data")
