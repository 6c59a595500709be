"""The way, step by step: deliveries are received, clients are settled, documents are delivered.

In: canonical records and a caller. Out: stored outcomes, signed documents, the archive's receipts.
Always holds: a thing and its audit entries are committed together; only this package opens transactions.
"""
