"""Parts of the judge's bench: which elements are dearest to judge, and what the contract takes for them."""
