"""features."""

from legocryst.ui import shell

shell.begin("features")
