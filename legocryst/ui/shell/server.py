"""`python -m legocryst.ui.shell.server`: Streamlit on the dashboard; the process ends with the server."""

import atexit
import os
import signal
import sys

from legocryst import ROOT


def serve() -> None:
    """Serve until the process is asked to end.

    It ends after all clean-up of Python's: that of a compiled library, which comes later, was once seen to hang, and
    the user's Ctrl-C with it.
    """
    code = 1

    def end() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    def stop(number: int, frame: object) -> None:
        nonlocal code
        code = 0
        sys.exit()

    atexit.register(end)  # what is registered first is called last
    signal.signal(signal.SIGTERM, stop)  # until the server, which listens before, has its own handler
    from streamlit.web.cli import main

    code = main(["run", str(ROOT / "app.py"), *sys.argv[1:]], prog_name="streamlit", standalone_mode=False) or 0


if __name__ == "__main__":
    serve()
