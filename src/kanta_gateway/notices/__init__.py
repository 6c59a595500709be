"""Notices: what somebody outside must be told of a client's records, minimised, stored and handed over.

In: one client's facts as they stand, and the terms of the purchaser's contract.
Out: notices that wait, are handed over once, and are corrected when what they told is no longer so.
Always holds: a notice carries the fields of its own file and nothing else; no narrative text is ever among them.
"""
