"""What those who run an installation do with it, grouped by what it is about; the command line calls these.

Each group is given what it needs and nothing more; what concerns several callers alike lies in `pipeline`.
"""
