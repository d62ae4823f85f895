"""Steps that touch disk, clock and registry: one file per command of the command line, cli.py in front.

campaigns/   parts of plan, readout, effects and the backtest of plans
watching/    parts of monitor and why
shop/        the simulated shop of simulate
"""
