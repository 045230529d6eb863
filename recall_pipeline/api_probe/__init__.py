"""Find out how the live service answers, with at most 20 requests that read only, as a report that can be published.

Belongs here: the requests of the probe, the closed vocabulary of its report (words.py), shapes and counts of what was
answered, the names of dialects, and which assumptions of docs/design/recall-api.md hold.
Does not belong here: values. A report contains shapes, types, counts and words of the vocabulary; a name or a code that
is not in the vocabulary is counted, and never written.
Comes in: a client of the workspace, and an HTTP client without a key. Goes out: `ProbeReport`, as JSON and as text.
"""

from recall_pipeline.api_probe.probe import MOST_REQUESTS, probe_service, run_probe
from recall_pipeline.api_probe.report import ProbeReport
from recall_pipeline.api_probe.report_text import report_lines

__all__ = ["MOST_REQUESTS", "ProbeReport", "probe_service", "report_lines", "run_probe"]
