"""Views that count no references.

numba counts who uses an array with atomic operations. A slice of a customer's rows is a dozen views, made millions of
times and by several threads at once, all counting on the same arrays: it would cost more than the features.
"""

from typing import Any

from numba.core import cgutils
from numba.extending import intrinsic
from numba.np import arrayobj


@intrinsic
def borrowed(typing_context: Any, array: Any) -> Any:  # noqa: ARG001  (numba's signature)
    """The array without its owner, for as long as somebody else keeps it: whoever passed it into the pass."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = arrayobj.make_array(signature.return_type)(context, builder, value=arguments[0])
        view.meminfo = cgutils.get_null_value(view.meminfo.type)
        view.parent = cgutils.get_null_value(view.parent.type)
        return view._getvalue()

    return array(array), generate
