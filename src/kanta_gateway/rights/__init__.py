"""What clients ask for by right: requests with their clocks, and the pages that answer them.

In: what a client asked, and what the log and the register hold. Out: rows of requests, and answers as JSON and pages.
Always: the controller decides, the texts are files, and a page says nothing that its JSON does not.
"""
