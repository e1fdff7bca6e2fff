"""train."""

from legocryst.ui import shell

shell.begin("train")
