"""Nested JSON from outside is refused, whatever libraries do to the interpreter when they are imported."""

import json
import sys

import pytest

import rollup.chain.client
import rollup.chain.keys


def test_imports_of_the_chain_edge__leave_the_recursion_limit():
    assert rollup.chain.client.Client
    assert rollup.chain.keys.Key
    assert sys.getrecursionlimit() < 10_000
    with pytest.raises(RecursionError):
        json.loads("[" * 100_000)
