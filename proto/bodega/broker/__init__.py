"""What node and hub share of the broker: gRPC over NATS request/reply, and connections.

With the two transport packages this is the only place that knows NATS. Nothing here is imported before it is needed:
a node without a hub pays for none of it.
"""
