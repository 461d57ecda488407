"""What every party must agree on, and the edges to the chain, the journal, the blobs and the queue."""
