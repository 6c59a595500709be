"""Packages that hand everything of one controller over: sealed to its certificate, ordered, complete, checked as read.

What always holds: no package lies in memory or unsealed on a disk, and a reader is told the first thing that is wrong,
by name.
"""
