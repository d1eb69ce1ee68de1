"""Penstock Local: a SAM application's AWS, in one process on this machine's loopback."""
