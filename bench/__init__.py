"""The published numbers: `python -m bench NAME` measures and prints those of `bench/NAME.py`.

Each module has `run() -> dict`, from the name of a figure to its value, or to a table of values. It may import every
package; none imports it.
"""
