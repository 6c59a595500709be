"""Stage 5: signed documents wait durably until the archive has answered for each.

In: signed, sealed documents. Out: leased work, one piece at a time.
Always holds: nothing is lost, nothing is leased twice at once, versions of one set go in order,
and what may have been received is asked about before anything is sent again.
"""
