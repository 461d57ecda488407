"""Fixtures of the generation's tests."""

from tests.one_thread import one_thread as one_thread
