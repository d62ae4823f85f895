"""The screens of the commands: what each prints for people, from the same content that --json prints for machines."""
