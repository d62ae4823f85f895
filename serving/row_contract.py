"""The HTTP contract of label tables: rows of one customer each in, scores out."""

from typing import Annotated

from pydantic import FailFast, Field, StrictBool, StringConstraints

from serving.contract import MOST_IDS, Amount, RequestBody, ResponseBody, Text

MOST_COLUMNS = 1_000

Cell = Annotated[str, StringConstraints(max_length=1_000)]
Row = Annotated[dict[Text, Amount | StrictBool | Cell | None], Field(min_length=1, max_length=MOST_COLUMNS)]


class RowsRequest(RequestBody):
    """Rows of a label table, without the label: a customer each, by the table's own column names."""

    rows: Annotated[list[Row], Field(min_length=1, max_length=MOST_IDS), FailFast()] = Field(
        description="each with customer_id and every column that GET /v1/model lists under `needs`; null if unknown"
    )


class RowScore(ResponseBody):
    """The score of one row."""

    customer_id: str
    churn_probability: float = Field(ge=0, le=1, description="probability that the label is yes")
    expected_value: float | None = Field(description="currency units; null where the table has no values")
    gain: float | None = Field(
        description="what keeping them adds if they would leave, that chance included, currency units; or null"
    )
    reasons: list[str] = Field(description="up to three columns that raise the probability, the strongest first")
    model_version: str


class RowsResponse(ResponseBody):
    """The scores in the order of the request."""

    scores: list[RowScore]
