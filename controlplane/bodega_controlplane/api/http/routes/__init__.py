"""The storefront's paths, one file per resource. Each handler translates, runs one use case, translates back."""
