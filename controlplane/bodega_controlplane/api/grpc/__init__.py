"""The gRPC face for operators and tools: servicers, one interceptor, one table for errors."""
