"""The face for nodes: services that an agent calls, over the broker or over HTTP/2 with its certificate.

One file a service; each takes the caller's node id from `caller.node_of` and never from the request.
"""
