"""The use cases: the way from a delivered record to the archive, and whatever else knows several stages.

In: canonical records, questions and acts with their caller. Out: stored outcomes, archived documents, answers.
Always holds: a thing and its audit entries are committed together; only this package opens transactions.
`docs/reading-the-code.md` says which module is about what.
"""
