"""What people want to be told of.

of_user, save_user   for all of one's devices
of_chat, save_chat   for one chat
"""

from fechatter.domain.push import ChatNotifications, NotifyLevel, PushSettings, QuietHours
from fechatter.store.database import Connection, Row


async def of_user(connection: Connection, user_id: int) -> PushSettings:
    row = await connection.fetchrow(
        """
        SELECT mentions_only, hide_content, quiet_start, quiet_end, quiet_timezone
        FROM push_settings WHERE user_id = $1
        """,
        user_id,
    )
    return PushSettings() if row is None else settings_from(row)


async def save_user(connection: Connection, user_id: int, settings: PushSettings) -> None:
    quiet = settings.quiet_hours
    await connection.execute(
        """
        INSERT INTO push_settings (user_id, mentions_only, hide_content, quiet_start, quiet_end, quiet_timezone)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (user_id) DO UPDATE SET mentions_only = $2, hide_content = $3,
            quiet_start = $4, quiet_end = $5, quiet_timezone = $6
        """,
        user_id,
        settings.mentions_only,
        settings.hide_content,
        quiet and quiet.start,
        quiet and quiet.end,
        quiet and quiet.timezone,
    )


async def of_chat(connection: Connection, user_id: int, chat_id: int) -> ChatNotifications:
    row = await connection.fetchrow(
        "SELECT level, muted_until FROM chat_notifications WHERE user_id = $1 AND chat_id = $2", user_id, chat_id
    )
    if row is None:
        return ChatNotifications()
    return ChatNotifications(level=NotifyLevel(row["level"] or "default"), muted_until=row["muted_until"])


async def save_chat(connection: Connection, user_id: int, chat_id: int, chosen: ChatNotifications) -> None:
    await connection.execute(
        """
        INSERT INTO chat_notifications (chat_id, user_id, workspace_id, level, muted_until)
        SELECT id, $2, workspace_id, $3, $4 FROM chats WHERE id = $1
        ON CONFLICT (user_id, chat_id) DO UPDATE SET level = $3, muted_until = $4
        """,
        chat_id,
        user_id,
        None if chosen.level == NotifyLevel.DEFAULT else chosen.level.value,
        chosen.muted_until,
    )


def settings_from(row: Row) -> PushSettings:
    """Of somebody who may never have chosen anything: then all columns are null."""
    quiet = None
    if row["quiet_start"] is not None:
        quiet = QuietHours(start=row["quiet_start"], end=row["quiet_end"], timezone=row["quiet_timezone"])
    return PushSettings(
        mentions_only=bool(row["mentions_only"]), hide_content=bool(row["hide_content"]), quiet_hours=quiet
    )
