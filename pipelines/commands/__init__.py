"""The commands of the command line, one file per command: its options, help and exit codes.

The work is done in the module of the same name in `pipelines/`, and printed by that in `pipelines/screens/`. The clock
comes with the context: `context.obj()` is now.
"""
