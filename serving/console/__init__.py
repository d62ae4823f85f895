"""The web console of the retention team: pages rendered on the server, behind the guard, without sessions."""
