"""How a page is made: templates beside this file, one look, every text escaped, nothing inline that a browser runs."""

from functools import cache
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from retention.presentation import formatting, theme
from retention.presentation.templates import templates
from serving import access_log, settings
from serving.console.static_files import HERE, asset

NAVIGATION = {"/": "At risk", "/plan": "Plan", "/campaigns": "Campaigns", "/health": "Model health"}
"""The pages that every page links to."""
PLOTLY_STYLE_HASHES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='",
)
"""The style elements plotly.js makes: an empty one that it adds rules to, and one for maps."""
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": " ".join(("'self'", *PLOTLY_STYLE_HASHES)),
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "content-security-policy": "; ".join(f"{name} {sources}" for name, sources in POLICY.items()),
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page for whoever asked. The template extends `page.html.j2` and finds, beside the values, what is served now:
    `batch` (its About, or None), `currency`, `caller` and `path`.
    """
    batch = settings.responses().scores.current
    told = {
        "batch": batch.info if batch else None,
        "currency": batch.info.currency if batch else "",
        "caller": access_log.current_caller(),
        "path": request.url.path,
    }
    return HTMLResponse(text(template, **told | {"status": status} | values), status, HEADERS)


def text(template: str, **values: Any) -> str:
    """A template filled in."""
    return _environment().get_template(template).render(rooms=NAVIGATION, **values)


def chart(name: str, figure: theme.Figure, *, says: str) -> Markup:
    """A figure that the browser draws when it comes into view; `says` is read out in its place."""
    return Markup(
        '<div id="{}" class="picture" role="img" aria-label="{}"><script type="application/json">{}</script></div>'
    ).format(name, says, Markup(theme.as_json(figure)))


def customer_address(customer_id: str) -> str:
    """The page of a customer, whatever the id is.

    >>> address("a/b c"), address("..")
    ('/customers/a%2Fb%20c', '/customers/?id=..')
    """
    # A browser takes . and .. for ways up a tree, and a line break ends what a route matches.
    plain = customer_id.isprintable() and not {".", "..", ""} & set(customer_id.replace("\\", "/").split("/"))
    written = quote(customer_id.encode("utf-8", "surrogatepass"), safe="")
    return f"/customers/{written}" if plain else f"/customers/?id={written}"


@cache
def _environment() -> Environment:
    environment = templates(HERE)
    environment.globals |= {"asset": asset, "picture": chart}
    environment.filters |= {"money": _money, "interval": _interval, "address": customer_address, "shown": shown}
    return environment


def shown(said: str) -> Markup:
    """A customer id or another text of the shop's as it is, what cannot be seen in it made visible."""
    seen = "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in said)
    return escape(seen)


@pass_context
def _money(context: Context, amount: float) -> str:
    return formatting.money(amount, context["currency"])


@pass_context
def _interval(context: Context, ends: tuple[float, float]) -> str:
    return formatting.interval(ends, context["currency"])
