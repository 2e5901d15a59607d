"""The database backend: one set of migrations for TimescaleDB and for plain PostgreSQL.

A model whose time column is a `TimescaleDateTimeField` becomes a hypertable where the server has the
TimescaleDB community features, and a table that is range-partitioned by day where it has not.
"""
