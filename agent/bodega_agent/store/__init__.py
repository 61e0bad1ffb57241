"""The node's SQLite file: the only place that knows apsw and SQL.

`schema` shapes the file, `writer` owns the one writing thread, `ledger`, `work`, `labels`,
`catalogue`, `sessions` and `inbound` are what may happen inside one transaction, `reader` is every question.
"""
