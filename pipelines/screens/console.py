"""The line that `console` prints once its pages can be opened."""


def welcome(url: str, token: str) -> str:
    """The address to open, with the token if it was made here; it stands behind #, which no browser sends anywhere."""
    if token.startswith("$"):
        return f"The console is running on {url} (ctrl-C ends it). Open it in a browser and log in with your token."
    return f"The console is running (ctrl-C ends it). Open it in a browser:\n  {url}/login#token={token}"
