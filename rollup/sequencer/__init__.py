"""The sequencer: signed requests are accepted (accept.py), and posted in line (post.py) by a daemon (daemon.py)."""

from rollup.sequencer.accept import Sequencer, SequencerChain, Signer
from rollup.sequencer.daemon import run_sequencer
from rollup.sequencer.post import Poster, PosterChain

__all__ = ["Poster", "PosterChain", "Sequencer", "SequencerChain", "Signer", "run_sequencer"]
