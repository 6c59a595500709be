"""1: records come in, in a provider's own format or canonical, and leave as canonical records.

* Nothing is guessed: what cannot be read is a finding, and never repeats the value.
* Only mapped fields are kept; the others are counted by the name that the field dictionary knows.
* How a provider's format becomes canonical records stands in `mappings/sources/`, not here.
"""
