"""Properties (PROTOCOL.md, 7): a result is right if it has what was asked for. Trainings, generations, scores."""
