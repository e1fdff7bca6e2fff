"""`python -m legocryst.server`: Streamlit on the dashboard, in a process that ends when the server has ended."""

import atexit
import os
import sys

from streamlit.web.cli import main

from legocryst import ROOT

if __name__ == "__main__":
    main(["run", str(ROOT / "app.py"), *sys.argv[1:]], prog_name="streamlit", standalone_mode=False)
    # Once Python has waited for its threads, the process ends: the clean-up of a compiled library, which comes after
    # that, was once seen to hang, and the user's Ctrl-C with it.
    atexit.register(os._exit, 0)
