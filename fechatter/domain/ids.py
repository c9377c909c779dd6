"""Ids: the numbers that PostgreSQL gives rows."""

from typing import Annotated

import msgspec

MAX_ID = 2**63 - 1
RowId = Annotated[int, msgspec.Meta(ge=1, le=MAX_ID)]
"""An id in a request's body. One that no row can have is refused before the database is asked."""
