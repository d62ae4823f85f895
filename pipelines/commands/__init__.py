"""The commands of the command line, one file each: options, help and exit codes; the work is in the module of the same
name above.
"""
