"""Tables and transactions of the control plane's database: SQLite by default, PostgreSQL for more.

The only package that imports SQLAlchemy and the database drivers.
"""
