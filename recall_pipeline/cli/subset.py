"""The parameter type of `verify --subset`."""

import re

import click

from recall_pipeline.verification import Subset


class SubsetType(click.ParamType[Subset]):
    """A part of the files, N/M."""

    name = "N/M"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Subset:
        """Return the part; fail with an example."""
        if isinstance(value, Subset):
            return value
        matched = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", str(value))
        if matched is None or not 1 <= int(matched[1]) <= int(matched[2]):
            self.fail(f"{value!r} is not a part: use N/M such as 3/52, with N from 1 to M", param, ctx)
        return Subset(int(matched[1]), int(matched[2]))
