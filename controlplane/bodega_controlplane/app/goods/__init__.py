"""Goods and the right to promise them: catalogue, stock, lots, rights, transfers, and books that diverge."""
