"""A real PostgreSQL server for the tests that ask for one."""

from __future__ import annotations
