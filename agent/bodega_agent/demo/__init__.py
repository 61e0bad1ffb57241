"""`bodega demo`: a small network of nodes on this machine, worked hard, hurt on purpose, and then audited.

Everything here stands outside of Bodega and meets it only where the world does: processes, HTTP, control
sockets, a pseudo-terminal per scanner, a TCP port per printer, a folder per camera, and, for the audit at the
end, the broker's streams and the databases, read-only.
"""
