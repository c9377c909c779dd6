"""Types and rules of the product. No I/O; imports nothing else of ours."""
