"""Advice: what a database, a driver or the operating system says, as an error with a cause and a remedy."""
