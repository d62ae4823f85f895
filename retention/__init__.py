"""What to do about it, in money: who pays to keep, with which offer, and whom to leave alone to measure it."""
