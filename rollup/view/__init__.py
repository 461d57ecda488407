"""A pure read model of the chain: events folded into requests, claims, disputes and properties; rewindable.

`View` answers what daemons and the API ask; its records are in records.py and property_records.py. Without web3, clock
or network.
"""

from rollup.view.property_records import MadeCommit, MadeScores, OrderedGeneration, OrderedTraining
from rollup.view.records import (
    Delivery,
    DisputeState,
    HeldLease,
    MadeBatch,
    MadeClaim,
    OrderedBatch,
    OrderedRequest,
    Page,
)
from rollup.view.view import View

__all__ = [
    "Delivery",
    "DisputeState",
    "HeldLease",
    "MadeBatch",
    "MadeClaim",
    "MadeCommit",
    "MadeScores",
    "OrderedBatch",
    "OrderedGeneration",
    "OrderedRequest",
    "OrderedTraining",
    "Page",
    "View",
]
