"""Parts of the soundness harness: honest runs of every kind, and what the judge says of each of their elements."""
