"""Rendering of pages: templates beside this file, one layout, every text escaped, no inline code that runs."""

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
"""Pages in the navigation bar, by their address."""
PLOTLY_STYLE_HASHES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='",
)
"""Hashes of the style elements plotly.js creates: an empty one that it adds rules to, and one for maps."""
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
    """Render a page. The template extends `page.html.j2`; beside the values it gets `batch` (the BatchInfo of the
    scores, or None), `currency`, `caller` and `path`.
    """
    batch = settings.responses().scores.current
    context = {
        "batch": batch.info if batch else None,
        "currency": batch.info.currency if batch else "",
        "caller": access_log.current_caller(),
        "path": request.url.path,
    }
    return HTMLResponse(text(template, **context | {"status": status} | values), status, HEADERS)


def text(template: str, **values: Any) -> str:
    """Fill in a template."""
    return _environment().get_template(template).render(navigation=NAVIGATION, **values)


def chart(name: str, figure: theme.Figure, *, says: str) -> Markup:
    """A figure that the browser draws when it comes into view; screen readers read `says` instead."""
    return Markup(
        '<div id="{}" class="picture" role="img" aria-label="{}"><script type="application/json">{}</script></div>'
    ).format(name, says, Markup(theme.as_json(figure)))


def customer_address(customer_id: str) -> str:
    """The address of a customer's page, for any id.

    >>> address("a/b c"), address("..")
    ('/customers/a%2Fb%20c', '/customers/?id=..')
    """
    # A browser resolves . and .. as parent folders, and a line break ends what a route matches.
    plain = customer_id.isprintable() and not {".", "..", ""} & set(customer_id.replace("\\", "/").split("/"))
    written = quote(customer_id.encode("utf-8", "surrogatepass"), safe="")
    return f"/customers/{written}" if plain else f"/customers/?id={written}"


@cache
def _environment() -> Environment:
    environment = templates(HERE)
    environment.globals |= {"asset": asset, "picture": chart}
    environment.filters |= {"money": _money, "interval": _interval, "address": customer_address, "shown": shown}
    return environment


def shown(text: str) -> Markup:
    """Escape a customer id or another text from the shop's data; unprintable characters become visible."""
    return escape("".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text))


@pass_context
def _money(context: Context, amount: float) -> str:
    return formatting.money(amount, context["currency"])


@pass_context
def _interval(context: Context, ends: tuple[float, float]) -> str:
    return formatting.interval(ends, context["currency"])
