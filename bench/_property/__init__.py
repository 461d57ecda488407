"""The halves of the property benchmark: what it costs to check a training, and a text."""
