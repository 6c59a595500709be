"""Stage 6: to the archive, and its answer.

In: a signed document. Out: a receipt that fits it, a reason to wait, or a final no.
Always holds: an answer that does not name the document and its bytes is no receipt, and what may have been
received is asked about before anything is sent again.
"""
