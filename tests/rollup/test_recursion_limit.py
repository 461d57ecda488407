"""Nested JSON from outside is refused, whatever libraries do to the interpreter when they are imported."""

import json
import sys

import pytest

from rollup.chain.client import Client
from rollup.chain.keys import Key


def test_imports_of_the_chain_edge__leave_the_recursion_limit():
    assert {Client.__module__, Key.__module__} <= sys.modules.keys()
    assert sys.getrecursionlimit() < 10_000
    with pytest.raises(RecursionError):
        json.loads("[" * 100_000)
