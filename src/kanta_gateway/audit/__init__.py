"""What happened, provably unchanged.

In come events of the other stages; out go entries of one Merkle log, checkpoints, proofs and reports.
Always holds: an entry is committed in the transaction of the thing it tells about, or neither is;
no entry holds a name or any other content of a client's record; `verify` finds any later change.
"""
