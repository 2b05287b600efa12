"""What must hold when things go wrong, tried on real processes: each fault is done many times and what is lost is counted.

`python -m tests.faults` (`make faults`) does all of them, `--full` in the large counts, `test_gate` a few of some.
"""
