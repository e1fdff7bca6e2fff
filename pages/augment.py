"""augment."""

from legocryst.ui import shell

shell.begin("augment")
