"""An archive that we run ourselves, as a process of its own: it checks, keeps, and fails on demand.

In: frames and documents over HTTP. Out: HL7 acknowledgements, and what was archived.
Always holds: nothing is acknowledged before it is on disk, and the signature is verified with python-xmlsec,
an implementation other than the signer's. It knows no data folder and no key of the gateway.
"""
