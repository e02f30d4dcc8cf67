"""What pages change, one noun a module: each mutation beside the function that sends it."""
