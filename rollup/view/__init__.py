"""A pure read model of the chain: events folded into requests, claims and disputes; rewindable.

`View` answers what daemons and the API ask; its records are in records.py. Without web3, clock or network.
"""

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
    "OrderedBatch",
    "OrderedRequest",
    "Page",
    "View",
]
