"""The code location of this repository (docs/design/interface.md, section 2).

Loading reads the settings: the environment and `.env`. `gc.freeze` excludes the objects that
importing Dagster created from garbage collection (docs/design/adr/0015-gc-freeze.md).
"""

import gc

import dagster as dg  # imported first, so that it is frozen

gc.freeze()

from recall_pipeline.defs import build_definitions
from recall_pipeline.settings import Settings

# A process per step costs 3 to 8 s, for assets that are materialized without a job too.
defs = dg.Definitions.merge(
    build_definitions(Settings.from_environment()), dg.Definitions(executor=dg.in_process_executor)
)
