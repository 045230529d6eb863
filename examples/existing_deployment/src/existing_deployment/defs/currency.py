"""What this project had before: an asset and a resource."""

import dagster as dg


class Bank(dg.ConfigurableResource):
    """A table of exchange rates."""

    euro_in_dollars: float = 1.1


@dg.asset(group_name="finance")
def exchange_rate(bank: Bank) -> dg.MaterializeResult[None]:
    """The price of a euro."""
    return dg.MaterializeResult(metadata={"euro_in_dollars": bank.euro_in_dollars})


defs = dg.Definitions(assets=[exchange_rate], resources={"bank": Bank()})
