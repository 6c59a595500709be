"""A record becomes a structured document.

In: one canonical record with the client, decision, product and staff that it stands among.
Out: one document tree per document that the record makes, and findings about trees that lack something.

* Nothing outside the mapping's own fields can reach a tree; every value knows the line it came from.
* JSON and display form come from the same tree, so they cannot disagree.
* Every code comes from a code list with a source; codes that nobody has verified are told as findings.
* Pure: texts and dictionaries in, values out; no file, network, clock or database.
"""
