"""One module per Lambda function: parse, one call of the domain, adapters, a typed answer."""
