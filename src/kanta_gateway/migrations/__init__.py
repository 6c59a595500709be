"""Migrations of the tables, one file per step; run by `migrate`."""
