"""What a sales channel may ask and do: its own orders, parcels and returns, and what may be promised to it."""
