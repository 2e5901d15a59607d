"""Readings: from the broker to the database, to the browser, and back out through REST."""
