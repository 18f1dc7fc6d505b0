"""Moves a Bizy AI database from SQLite to PostgreSQL."""

__version__ = "1.0.0"
