"""Questions to the ledger, one file a subject; each takes a Reader and answers with plain values."""
