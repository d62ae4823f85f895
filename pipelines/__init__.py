"""Steps that touch disk, clock and registry: one file per command of the command line, cli.py in front."""
