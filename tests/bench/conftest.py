"""Benches run on one thread here: networks are small."""

from tests.one_thread import one_thread as one_thread
