"""Parts of the detection harness: cheats of every kind, and what it takes to be caught."""
