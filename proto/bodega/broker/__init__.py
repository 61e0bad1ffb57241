"""What node and hub share on their way to the broker: its words for errors, one connection, one pull loop.

Only `port` may be imported without paying for the NATS client.
"""
