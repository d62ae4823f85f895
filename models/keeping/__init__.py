"""What keeping a customer is worth: who can be saved, and what saving them adds."""
