"""Asyncio shells around pure rules: each owns one kind of waiting and nothing else."""
