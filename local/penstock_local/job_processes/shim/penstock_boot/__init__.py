"""What runs inside the process of a job run, before and after the user's script.

It runs in the job's own Python, 3.9 for a Python shell job, and can import nothing of Penstock.
"""
