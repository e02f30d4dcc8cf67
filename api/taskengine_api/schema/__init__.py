"""The schema, one noun a file: its type, its queries, its mutations, its subscriptions."""
