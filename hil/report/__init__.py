"""Verdicts as records, and the records as JSON, table and JUnit properties."""
