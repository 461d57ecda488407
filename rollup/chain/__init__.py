"""The edge to the chain: the only place that knows web3, eth-account and the compiler.

Importing it also brings Python's recursion limit back to where a stack can bear it. A library below sets it to 100,000,
with which deeply nested JSON from outside overflows the stack of the process instead of being refused.
"""

import sys

import py_ecc  # noqa: F401

# Three times CPython's own limit; its JSON parser needs a few hundred bytes of stack for a level.
sys.setrecursionlimit(min(sys.getrecursionlimit(), 3_000))
