"""Command-line interface: `recall-pipeline`, also `python -m recall_pipeline` (docs/design/interface.md, section 5).

Belongs here: commands, options, printed text, exit statuses (0 success, 1 failure, 2 wrong usage or settings).
Does not belong here: the work itself. Each command calls one package; `sync` runs the Dagster job, so that the UI
shows it.
Comes in: arguments. Goes out: text for a terminal, JSON for programs. An error is one line on standard error; a
traceback means a bug.
"""

from recall_pipeline.cli.main import main

__all__ = ["main"]
