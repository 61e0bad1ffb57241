"""Vision checks: frames in, verdicts out, in a process of their own (README.md in this folder).

The daemon imports only `client` and `messages`: standard library, a few hundred kilobytes. cv2, numpy,
onnxruntime and the cameras live in the worker, so that a codec that crashes cannot touch the ledger.
"""
