"""The node's way to the hub: the only package of the agent that knows NATS."""
