"""The password of the owner of the tests' PostgreSQL server."""

PASSWORD = "pa55:w?rd"
SPELT = "pa55%3Aw%3Frd"
"""The same in a URL."""
