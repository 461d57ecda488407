"""The window on the rollup: REST, live events, the Python SDK. Runs no model; imports neither executor nor prover."""
