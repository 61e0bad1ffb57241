"""The hub's way to the nodes over NATS: the only package of the control plane that knows it."""
