"""Runs models: from a PyTorch module to a program, its fast runs, their traces, and the claims made of them."""
