"""The hub's way to the nodes: the only package of the control plane that knows NATS.

The broker carries and may lose everything; both ends keep the record in SQL. While it is away the hub
takes orders as always, and the pump sends what has gathered when it is back.
"""
