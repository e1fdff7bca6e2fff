"""jobs."""

from legocryst.ui import shell

shell.begin("jobs")
