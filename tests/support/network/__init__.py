"""A network with nothing single in it: two hubs, PostgreSQL, three brokers, four nodes with people at work."""
