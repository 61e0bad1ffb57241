"""Labels: what stands on them is a document, how it looks is a layout, and a printer gets it in its own language."""
