"""Nothing leaves that need not: records and document trees come in, the same without what must stay goes out.

* In: a canonical record or a composed tree, and what is known about the client (a guard, no contact data).
* Out: the same value with visible marks in place of what was masked, and a count by field and class.
* Always: text that is not masked stays character for character; no value is told, only classes and counts.
* Sealing (`envelope`) and fingerprints are keyed; the keys come from outside the database.
"""
