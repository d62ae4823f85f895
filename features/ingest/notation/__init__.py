"""How a shop writes its values: numbers, times and ids, read off the columns and turned into one plain form."""
