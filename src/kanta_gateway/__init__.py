"""Gateway from providers' records to signed, THL-structured documents in a Kanta-style archive.

The alphabetical listing of the packages is the way: first the guards `access`, `audit`, `contracts`
and the view `console`; then the data walks `intake` (bytes to canonical records), `mapping` (record to
document tree), `privacy` (nothing leaves that need not), `signing` (tree to signed document), `spool`
(signed documents wait durably) and `transfer` (to the archive, and its answer).
`pipeline` calls them in order, `operating` holds what those who run an installation do with it, `app` builds
them into one `gateway`, which `cli` and `web` call; `settings` alone reads the environment, `model` holds the
values that travel, `errors` every way to fail. Knowledge about Finnish documents and contracts lies
in `mappings/` and `schemas/`, not here. The output is Kanta-style, not certified.
"""

__version__ = "0.1.0"
