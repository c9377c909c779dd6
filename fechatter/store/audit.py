"""The audit log: who did what to whom, from where. Holds no secret and no text that people write to each other.

record   one act, in the transaction that does it
"""

import msgspec

from fechatter.domain.audit import Act
from fechatter.domain.people import Caller
from fechatter.store.database import Connection


async def record(
    connection: Connection,
    act: Act,
    *,
    actor: Caller | None,
    subject_id: int | None = None,
    workspace_id: int | None = None,
    address: str | None = None,
    **detail: str | int | None,
) -> None:
    """Write down an act. `actor` None: the operator, or somebody unknown; `subject_id`: whom it concerns."""
    await connection.execute(
        """
        INSERT INTO audit_log (action, actor_id, session_id, subject_id, workspace_id, address, detail)
        VALUES ($1, $2, $3, $4, $5, coalesce($6, (SELECT address FROM sessions WHERE id = $3)), $7::jsonb)
        """,
        act.value,
        actor.user_id if actor else None,
        actor.session_id if actor else None,
        subject_id,
        workspace_id,
        address,
        msgspec.json.encode(detail).decode() if detail else None,
    )
