"""The hub's running parts between its use cases and its broker: they know the port, never what carries it.

The broker carries and may lose everything; both ends keep the record in SQL. While it is away the hub
takes orders as always, and the pump sends what has gathered when it is back.
"""
