"""What the commands print for people, from the same content that --json prints for machines."""
