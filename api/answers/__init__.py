"""Answers: JSON made from the records of view and journal, a module a noun.

Pure: the view and its time come in. Decides nothing that the chain does not say.
"""

from api.answers.claims import claim_state, dispute_state
from api.answers.generations import GENERATION_ENDS, generation_state
from api.answers.models import model_state
from api.answers.outputs import output_state
from api.answers.requests import ENDS, request_state
from api.answers.trainings import ENDED, training_state, with_curves

__all__ = [
    "ENDED",
    "ENDS",
    "GENERATION_ENDS",
    "claim_state",
    "dispute_state",
    "generation_state",
    "model_state",
    "output_state",
    "request_state",
    "training_state",
    "with_curves",
]
