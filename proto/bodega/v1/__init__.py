"""The wire: generated from the .proto files beside it (`make protos`), never edited by hand."""
