"""The usual mistakes of exports, looked for in a log that was read; each with its count and the line that mends it."""
