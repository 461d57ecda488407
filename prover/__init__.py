"""Doubts the executors: which claim is wrong, at which step, and what to do about it."""

import os

# Read when torch is loaded, which is later. Threads that spin while they wait for one another take the processor from
# whatever runs beside a watchtower, and from the very thread they wait for: a look is then many times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
