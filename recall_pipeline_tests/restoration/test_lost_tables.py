import dataclasses
from itertools import combinations

import pytest

from recall_pipeline_tests.restoration.conftest import TABLES
PAIRS = list(combinations(TABLES, 2))
CASES = [("lost",t,()) for t in [*((n,) for n in TABLES), *PAIRS, TABLES]]
CASES += [("early",(),t) for t in [*((n,) for n in TABLES), *PAIRS, TABLES]]
CASES += [("both",(a,),(b,)) for a in TABLES for b in TABLES if a!=b]

def compared(loss, before, after):
    n = loss.names()
    found = [f"{n.get(key,key)} row {key in before} {key in after}" for key in before.keys() ^ after.keys()]
    for key in before.keys() & after.keys():
        one, two = dataclasses.asdict(before[key]), dataclasses.asdict(after[key])
        found += [f"{n.get(key,key)}.{name}: {one[name]!s:.60} -> {two[name]!s:.60}" for name in one if one[name] != two[name] and name not in ("cataloged_at","source_uri","audio_uri")]
    return found

def test_all(backups, tmp_path_factory, monkeypatch, request):
    import os
    from recall_pipeline_tests.restoration.conftest import made
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path_factory.mktemp("h")))
    with open("/tmp/year5/matrix.txt","w") as out:
        for kind,lost,older in CASES:
            loss = made(backups, tmp_path_factory.mktemp("x")/"data")
            before = loss.rows()
            loss.restore(*older); loss.lose(*lost)
            try:
                loss.sync_all()
                p1=loss.problems()
                print("==", "lost", lost, "early", older, len(p1), file=out)
                if p1:
                    for x in p1[:12]: print("   P1", loss.named(x), file=out)
                    loss.repair(); p2=loss.problems()
                    for x in p2: print("   P2", loss.named(x), file=out)
                for d in compared(loss, before, loss.rows()): print("   D", d, file=out)
            except Exception as e:
                import traceback
                print("   EXC", traceback.format_exc()[-600:], file=out)
            out.flush()
