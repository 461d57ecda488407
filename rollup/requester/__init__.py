"""Whoever asks for a trained network: draws the pool's key, masks the items, asks, opens and reveals in time."""
