-- The event log: one row for each change that clients hear of, written in the transaction that made the change.
-- The outbox is the log: whatever carries events (NOTIFY, NATS) only says "look", and a sweep finds what it lost.

CREATE TABLE events (
    stream text COLLATE "C" NOT NULL,     -- chat:12, workspace:3, user:7
    pos bigint NOT NULL,                  -- 1, 2, 3 … in its stream, in commit order, without gaps
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    workspace_id bigint,
    type text NOT NULL,
    chat_id bigint,
    message_id bigint,                    -- message.*: content is read from messages, so a tombstone is one at once
    payload json,                         -- all other types: the payload as it goes over the wire
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (stream, pos)
);
CREATE INDEX events_xid ON events (xid);

-- Where the log stood at a time: an event with a lower xid was committed before it. Pruning goes by these.
CREATE TABLE event_log_marks (
    at timestamptz PRIMARY KEY DEFAULT now(),
    xid xid8 NOT NULL
);

-- Ids only: a payload of 8000 bytes or more would abort the transaction that posts.
CREATE FUNCTION notify_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('fechatter_events', NEW.stream);
    RETURN NULL;
END $$;
CREATE TRIGGER events_notify AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION notify_event();
