"""Ten million taxi trips as a CSV file, and the ways to clean, filter and join them."""
