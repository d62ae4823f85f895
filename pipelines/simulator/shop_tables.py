"""Tables of the simulated shop as any shop has them: orders with refunds, interactions, costs and customers."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.arrays import Floats, Integers
from features.clock import DAY
from pipelines.simulator import buying, parameters
from pipelines.simulator.customers import Customers
from pipelines.simulator.interaction_events import KINDS, interactions
from pipelines.simulator.lifetimes import Lifetimes, latest_lifetimes
from pipelines.simulator.refunds import refunds

ID_DIGITS = 8
TIME = pa.timestamp("us", tz="UTC")


def customer_ids(customers: Customers) -> pa.Array:
    """Ids of the customers: their numbers, with leading zeros."""
    return pc.utf8_lpad(pa.array(customers.number).cast(pa.string()), ID_DIGITS, "0")


def timestamps(days: Floats) -> pa.Array:
    """Days since 1970 as timestamps; NaN becomes null."""
    none = np.isnan(days)
    us = np.floor(np.where(none, 0, days) * DAY).astype(np.int64)
    return pa.array(us, mask=none).cast(TIME)


def order_lines(customers: Customers, lifetimes: Lifetimes, *, seed: int, until: float) -> tuple[pa.Table, pa.Table]:
    """The orders table, refunds in it, and the cost of delivering the orders: all that was known before `until`."""
    placed = buying.orders(customers, lifetimes.ended(until), seed=seed)
    known, late = buying.known_at(customers, lifetimes, placed, seed=seed)
    bought = buying.lines(customers, lifetimes, placed, seed=seed)
    back = refunds(customers, lifetimes, placed, bought, seed=seed)
    customer = lifetimes.customer[placed.lifetime]
    anew = pc.if_else(pa.array(lifetimes.branch[placed.lifetime] == 0), "-", "-k")
    number = pa.array(placed.number).cast(pa.string())
    order_id = pc.binary_join_element_wise(customer_ids(customers).take(pa.array(customer)), anew, number, "")
    channel = pa.array(parameters.CHANNELS).take(pa.array(buying.channel(customers, lifetimes, placed, seed=seed)))
    line = np.concatenate([np.arange(len(bought)), back.line])
    order, sign = bought.order[line], np.repeat([1, -1], [len(bought), len(back)])
    at = np.concatenate([placed.at[bought.order], back.at])
    is_known = np.where(sign > 0, known[order], at) < until
    product = pc.binary_join_element_wise(
        pa.array(parameters.CATEGORIES).take(pa.array(bought.category)), pa.array(bought.product).cast(pa.string()), "-"
    )
    none = np.zeros(len(back), np.int64)
    table = pa.table(
        {
            "order_id": order_id.take(pa.array(order)),
            "customer_id": customer_ids(customers).take(pa.array(customer[order])),
            "ordered_at": timestamps(at),
            "recorded_at": timestamps(np.where((sign > 0) & late[order], known[order], np.nan)),
            "product_id": product.take(pa.array(line)),
            "category": pa.array(parameters.CATEGORIES).take(pa.array(bought.category[line])),
            "channel": channel.take(pa.array(order)),
            "quantity": pa.array(np.concatenate([bought.quantity, none - 1])),
            "amount": _money(np.concatenate([bought.cents, -back.cents])),
            "cost": _money(np.concatenate([bought.cost_cents, -back.cost_cents])),
            "discount": _money(np.concatenate([bought.discount_cents, none])),
        }
    )
    visible = known < until
    delivered = cost_rows(customers, customer[visible], placed.at[visible], "delivery", parameters.DELIVERY_COST)
    return table.filter(pa.array(is_known)), delivered


def interaction_rows(
    customers: Customers, lifetimes: Lifetimes, *, seed: int, until: float
) -> tuple[pa.Table, pa.Table]:
    """The interactions table, and the cost of serving those who complained or asked for help."""
    happened = interactions(customers, lifetimes.ended(until), seed=seed)
    customer = lifetimes.customer[happened.lifetime]
    table = pa.table(
        {
            "customer_id": customer_ids(customers).take(pa.array(customer)),
            "at": timestamps(happened.at),
            "kind": pa.array(KINDS).take(pa.array(happened.kind)),
            "value": pa.array(happened.value, mask=np.isnan(happened.value)),
        }
    )
    served = np.isin(happened.kind, [KINDS.index(kind) for kind in ("complaint", "support_ticket")])
    return table, cost_rows(customers, customer[served], happened.at[served], "service", parameters.SERVICE_COST)


def cost_rows(customers: Customers, customer: Integers, at: Floats, kind: str, amount: float) -> pa.Table:
    """Rows of the costs table, all of one kind and amount."""
    return pa.table(
        {
            "customer_id": customer_ids(customers).take(pa.array(customer)),
            "at": timestamps(at),
            "kind": pa.array([kind]).take(pa.array(np.zeros(len(customer), np.int64))),
            "amount": pa.array(np.full(len(customer), amount)),
        }
    )


def customer_rows(customers: Customers, lifetimes: Lifetimes, *, until: float) -> pa.Table:
    """The customers table; under a contract it has `left_at`, null for those who had not left before `until`."""
    columns = {
        "customer_id": customer_ids(customers),
        "joined_at": timestamps(customers.joined),
        "acquired_by": pa.array(parameters.ACQUIRED).take(pa.array(customers.acquired)),
    }
    if customers.world.contract is not None:
        gone = latest_lifetimes(lifetimes, len(customers)).gone
        columns["left_at"] = timestamps(np.where(gone < until, gone, np.nan))
    return pa.table(columns)


def _money(cents: Integers) -> pa.Array:
    """Minor units as currency units: the nearest float, which reads back to the same cent."""
    return pa.array(cents / 100)
