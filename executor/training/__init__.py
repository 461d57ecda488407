"""Training: any method, any number of processes, from a recipe that is data and never code.

A result is judged by its property, not by how it was made: nothing here needs to be repeatable. Knows nothing of the
chain, of fees and of who asked.
"""
