"""database."""

from legocryst.ui import shell

shell.begin("database")
