"""Contents of the orders: pieces, lines, products and categories.

Products and categories are numbered as the customer first bought them, so a line is a first purchase when its
number exceeds every earlier one.
"""

import numpy as np
from numba.extending import register_jitable

from features.clock import DAY
from features.families.frequency import WINDOWS
from features.kernel.feature import feature


@register_jitable
def lines_by_category(items):
    """The number of lines of each category, float64, by its number; empty where no line names a category."""
    highest = -1
    for category in items.category:
        highest = max(highest, category)
    lines = np.zeros(highest + 1)
    for category in items.category:
        if category >= 0:
            lines[category] += 1
    return lines


@feature(unit="pieces", says="{} pieces per order", needs=("quantity",))
def pieces_per_order(orders):
    return orders.pieces.mean()


@feature(unit="lines", says="{} lines per order", needs=("product_id",))
def lines_per_order(orders, items):
    return len(items.order) / len(orders.at)


@feature(unit="products", says="{} products bought so far", needs=("product_id",))
def products(items):
    """Distinct products."""
    highest = -1
    for product in items.product:
        highest = max(highest, product)
    return highest + 1


@feature(unit="categories", says="{} categories bought so far", needs=("category",))
def categories(items):
    """Distinct categories."""
    highest = -1
    for category in items.category:
        highest = max(highest, category)
    return highest + 1


@feature(
    unit="nats",
    says="entropy of the order lines over categories: {}",
    absent="no order line names a category",
    needs=("category",),
)
def category_entropy(items):
    """Shannon entropy of the categories' shares of the lines that name one: 0 for one, log k for k equal ones."""
    lines = lines_by_category(items)
    if len(lines) == 0:
        return np.nan
    entropy = 0.0
    for share in lines / lines.sum():
        if share > 0:
            entropy -= share * np.log(share)
    return entropy


@feature(
    unit="share",
    says="share of order lines in the category bought most: {}",
    absent="no order line names a category",
    needs=("category",),
)
def top_category_share(items):
    """The largest category's share of the lines that name a category."""
    lines = lines_by_category(items)
    if len(lines) == 0:
        return np.nan
    return lines.max() / lines.sum()


@feature(
    unit="share",
    says="share of order lines for a product never bought before: {}",
    absent="no order line names a product",
    needs=("product_id",),
)
def new_product_share(items):
    """A share of the lines that name a product; a product's second line in its first order is not new."""
    highest, named, new = -1, 0, 0
    for product in items.product:
        if product >= 0:
            named += 1
        if product > highest:
            highest = product
            new += 1
    if named == 0:
        return np.nan
    return new / named


@feature(
    unit="products",
    says="{} products bought for the first time in the last {days} days",
    windows=WINDOWS,
    needs=("product_id",),
)
def new_products_last(orders, items, as_of, days):
    start = as_of - days * DAY
    highest, new = -1, 0
    for i in range(len(items.product)):
        if items.product[i] > highest:
            highest = items.product[i]
            if orders.at[items.order[i]] >= start:
                new += 1
    return new
