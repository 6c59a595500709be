"""Papers about the processing, out of template files and the configuration as it stands: facts in, HTML and DOCX out.

What always holds: both forms tell the same, nothing of a person and no secret stands in a paper, and each carries the
digest of what it was made of.
"""
