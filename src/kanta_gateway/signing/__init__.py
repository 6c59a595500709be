"""From document tree to signed document.

* In: a checked tree, its JSON bytes and the header; out: the frozen bytes of a signed CDA document.
* XHTML and JSON come from one tree; `agree` proves of any finished document that they say the same.
* Bytes in, bytes out: no file, no network, no database; the present moment is an argument.
* What is signed is canonical by construction, and another implementation (python-xmlsec) verifies every
  document before it leaves this stage.
"""
