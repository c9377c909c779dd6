-- What changes of chats need: telling a post that its sender has just left, and who is typing.

-- Counts those who left or were removed. A post that waited for the chat's row sees by it that its look at the
-- members may be out of date, and looks again.
ALTER TABLE chats ADD COLUMN departures bigint NOT NULL DEFAULT 0;

-- When each one was last announced as typing: one announcement in a few seconds, whichever server is asked. Worthless
-- after a crash, so it is not worth a WAL record.
CREATE UNLOGGED TABLE typing (
    chat_id bigint NOT NULL,
    user_id bigint NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (chat_id, user_id)
);
