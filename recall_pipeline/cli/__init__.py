"""The same by hand: `recall-pipeline`, also `python -m recall_pipeline` (docs/design/interface.md, section 5).

Belongs here: commands, their options, what they print, and exit statuses (0 well, 1 failed, 2 wrong usage or settings).
Does not belong here: work. Each command calls one room; `sync` runs the Dagster job, so that the UI shows it.
Comes in: arguments. Goes out: text for people on a terminal, JSON for programs; one line for a fault, a traceback
only for a bug of ours.
"""

from recall_pipeline.cli.main import main

__all__ = ["main"]
