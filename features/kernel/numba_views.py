"""Views that count no references.

numba counts who uses an array with atomic operations. A slice of a customer's rows is a dozen views, made millions of
times and by several threads at once, all counting on the same arrays: it would cost more than the features.
"""

from typing import Any

from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np import arrayobj


@intrinsic
def borrowed(typing_context: Any, arrays: Any) -> Any:  # noqa: ARG001  (numba's signature)
    """An array, or a tuple of arrays, without the owner, who must keep it until then: the caller of the pass."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if isinstance(signature.return_type, types.Array):
            return _without_owner(context, builder, signature.return_type, arguments[0])
        views = arguments[0]
        for place, kind in enumerate(signature.return_type.types):
            view = _without_owner(context, builder, kind, builder.extract_value(views, place))
            views = builder.insert_value(views, view, place)
        return views

    return arrays(arrays), generate


def _without_owner(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    view = arrayobj.make_array(kind)(context, builder, value=array)
    view.meminfo = cgutils.get_null_value(view.meminfo.type)
    view.parent = cgutils.get_null_value(view.parent.type)
    return view._getvalue()
