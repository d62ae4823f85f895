"""The commands' work: what touches disk, clock and registry.

A command X is found in three places: `pipelines/X.py` does the work, `pipelines/commands/X.py` has its options, help
and exit codes, and `pipelines/screens/X.py` prints its result. `models` works in promotion.py, `serve` and `console`
share serve.py, and what prints only names and values needs no screen of its own. cli.py puts the commands together.

training/    steps of train and evaluate
gate/        numbered checks that a new model passes before it serves
leakage/     the audit of `check --leaks`
batches/     scores on disk: the ledger, staging, database tables
campaigns/   parts of plan, readout, effects and the backtest of plans
monitoring/  parts of monitor and why
reporting/   parts of report, and the charts of an evaluation
simulator/   the simulated shop of simulate
"""
