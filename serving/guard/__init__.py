"""The guard in front of every route: access policy, tokens, client kinds."""
