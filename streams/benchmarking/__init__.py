"""Benchmarks: what Gridloom does per second, beside peers that are measured in the same run.

Machines differ, and a machine that does other things is slower: so a bar is always a ratio
within one run, taken round by round, and the machine is reported with it.
"""
