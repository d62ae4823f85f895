"""What a campaign did: treated against holdout, save rates, power, and plans of the past in hindsight."""
