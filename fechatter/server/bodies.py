"""Bodies of requests: JSON, decoded straight into the route's type, and strictly.

StrictRequest   the app's request class: "1" is no number, 1.0 no id, and what is wrong is named by its field
"""

from functools import cache
from typing import Any, get_type_hints

import msgspec
from litestar import Request

from fechatter.domain.errors import InvalidRequest
from fechatter.server.problems import fault_in_body


class StrictRequest(Request[Any, Any, Any]):
    """Left to itself the framework converts what it decoded, and takes "1" for 1."""

    async def json(self) -> Any:
        """The body as what the route's `data` is annotated with. Raises InvalidRequest."""
        body = await self.body()
        try:
            return _decoder(self.route_handler.fn).decode(body)
        except msgspec.ValidationError as error:
            raise fault_in_body(str(error)) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidRequest(f"The body is not JSON: {error}.") from error


@cache
def _decoder(handler: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(get_type_hints(handler, include_extras=True)["data"])
