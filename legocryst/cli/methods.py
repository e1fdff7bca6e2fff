"""The methods paragraph of a job, with its references."""

import argparse

from legocryst.cli.output import Result


def methods(options: argparse.Namespace) -> Result:
    """Print the paragraph and its references to standard output, or the references as BibTeX."""
    from legocryst.infra.workspace import default_workspace
    from legocryst.jobs.methods import methods as of
    from legocryst.jobs.record import job
    from legocryst.vocabulary.references import bibtex

    chosen = job(options.workspace or default_workspace(), options.job)
    paragraph = of(chosen)
    entries = bibtex(paragraph.references)
    if not options.json:
        print(entries if options.bibtex else f"{paragraph.text}\n\n{paragraph.listed}")
        return {}
    return {"job": chosen.id, "text": paragraph.text, "references": paragraph.listed.splitlines(), "bibtex": entries}
