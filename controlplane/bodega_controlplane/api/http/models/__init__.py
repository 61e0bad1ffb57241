"""What channels send and get, as pydantic models: shapes and bounds, no rules. One file per resource."""
