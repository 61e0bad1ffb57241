"""Use cases of the control plane: plain functions in a transaction, the same behind every face.

Each takes a `Transaction` first and does all of its reads and writes there, so that it happens as a
whole or not at all. Faces run them with `Hub.run` (writes) and `Hub.read`. They know neither HTTP nor
gRPC nor NATS, and answer with the frozen values of `app.views`. What every room shares stands here, beside the rooms.
"""
