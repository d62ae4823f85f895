"""The pages a retention team lives in: rendered here, behind the guard of the service, without a state per visitor."""
