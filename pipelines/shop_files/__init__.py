"""How a shop's files are read: the settings, and what `init` knows of exports and writes into a first config."""
