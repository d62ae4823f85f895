"""The store of histories: a log is read once, and every later command maps what came of it."""
