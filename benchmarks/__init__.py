"""Speed and accuracy side by side with peers: ratios of one run, never absolute times."""
