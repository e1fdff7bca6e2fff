"""The command line: every stage as a command, its flags made from the stage's settings.

Results go to files; what is said while working goes to standard error; with `--json` the last line of standard output
is one JSON object. A wrong input ends with one sentence and exit code 2.
"""

import os
from collections.abc import Sequence

from pydantic import ValidationError

from legocryst.cli.output import print_json, refuse, say
from legocryst.cli.parser import parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, 2 when the input was wrong, 130 after Ctrl-C."""
    options = parser().parse_args(arguments)
    # before torch and BLAS are loaded, which read these once
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(options.threads)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin are three times slower on a busy machine
    try:
        result = options.command(options)
    except ValidationError as error:
        return refuse(_first_fault(error))
    except (ValueError, OSError) as error:
        if os.environ.get("LEGOCRYST_DEBUG"):
            raise
        return refuse(str(error))
    except KeyboardInterrupt:
        say("legocryst: interrupted")
        return 130
    if options.json:
        print_json(result)
    else:
        for name, value in result.items():
            say(f"{name}: {value}")
    return 0


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"])
    message = fault["msg"].removeprefix("Value error, ")
    return f"the setting {where} is wrong: {message[0].lower()}{message[1:]} (given: {fault['input']})"
