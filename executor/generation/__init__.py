"""Texts on request: scorers of texts, decoding on the fast path, and the actor that generates and claims.

A text is made token by token, each from what a cached pass over one position gives; it is checked whole, by the one
pass of the scorer that the claim's scores are.
"""
