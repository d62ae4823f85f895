"""Economics of offers: formulas of cost and profit, from one contact to the whole customer base."""
