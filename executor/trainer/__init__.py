"""The trainer: takes training requests, commits weights, claims their scores, and is paid. One folder a training.

What it knows lies in that folder and on the chain, so it may be killed at any point. How weights are found is
executor/training's.
"""
