"""May this caller do this? Assertions and registrations come in, callers and decisions with reasons go out.

* A caller is known by a registered certificate or not at all; nothing of a bad assertion is repeated.
* What no rule of the policy file allows is denied.
"""
