"""What Recall.ai sends that is unknown is counted per day, and is new on one day of the archive only."""

import dataclasses
import json
from typing import Any

from recall_pipeline.days import ONE_DAY
from recall_pipeline.discovery import RECORDINGS, Unknowns
from recall_pipeline_tests.discovery.meetings import Workplace
from recall_pipeline_tests.workspace import DAY, NINE, Rewritten
from recall_sandbox import Rule
from recall_sandbox.effects import Answer


def unknowns(work: Workplace, day: Any = DAY) -> Unknowns:
    work.both(day)
    return Unknowns.of(RECORDINGS.facts(work.archive, day))


def add_to_rows(work: Workplace, **fields: Any) -> None:
    """Let every listed recording have other fields too."""

    def rewrite(answer: Answer) -> Answer:
        page = json.loads(answer.body)
        page["results"] = [{**row, **fields} for row in page["results"]]
        return dataclasses.replace(answer, body=json.dumps(page).encode())

    work.sandbox.faults.clear()
    work.sandbox.faults.add(Rule(Rewritten(rewrite), path="/recording/$"))


def test_a_day_of_documented_answers_states_nothing(work: Workplace) -> None:
    work.meet("standup")
    assert unknowns(work) == Unknowns()


def test_an_unknown_field_is_counted_and_new_on_the_first_day_only(work: Workplace) -> None:
    for number in range(3):
        work.meet(f"standup {number}")
    work.meet("next", NINE + ONE_DAY)
    add_to_rows(work, mood="hidden")
    first = unknowns(work)
    assert dict(first.counts) == {"field recording.mood": 3}
    assert list(first.first_seen) == ["field recording.mood"]
    assert unknowns(work).first_seen == first.first_seen
    next_day = unknowns(work, DAY + ONE_DAY)
    assert (dict(next_day.counts), dict(next_day.first_seen)) == ({"field recording.mood": 1}, {})
    assert "hidden" not in str(RECORDINGS.facts(work.archive, DAY))


def test_a_second_new_field_of_the_same_day_is_new_too(work: Workplace) -> None:
    work.meet("standup")
    add_to_rows(work, mood=1)
    unknowns(work)
    add_to_rows(work, mood=1, taste=1)
    assert list(unknowns(work).first_seen) == ["field recording.mood", "field recording.taste"]
