"""The protocol: the words and the grammar that a node and the control plane must share.

`bodega.v1` is the wire, `bodega.core` the pure rules, `bodega.codec` the bridge between the two,
`bodega.host` what every Bodega process does on its host (logs, config files, exit codes).
"""

__version__ = "0.1.0"
