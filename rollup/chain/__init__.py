"""The edge to the chain: the only place that knows web3, eth-account and the compiler."""
