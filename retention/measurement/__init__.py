"""Effects of campaigns: treated against holdout, save rates, power, and past plans in hindsight."""
