"""The centre: takes orders, promises stock, routes orders to nodes, shows the whole fleet."""
