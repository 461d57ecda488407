"""Doubts the executors: which claim is wrong, at which step, and what to do about it."""
