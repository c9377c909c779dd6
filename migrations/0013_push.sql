-- Web Push: which device wants to be told, of what, and what waits to be sent.

-- One row: the key that pushes are signed with, made on the first run, so that all servers share it.
CREATE TABLE push_keys (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    private_key text NOT NULL,            -- P-256, base64url
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE push_subscriptions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    session_id bigint NOT NULL REFERENCES sessions ON DELETE CASCADE,
    endpoint text NOT NULL,
    endpoint_digest bytea NOT NULL UNIQUE, -- an address may be longer than an index takes
    p256dh text NOT NULL,
    auth text NOT NULL,
    user_agent text NOT NULL,
    refusals integer NOT NULL DEFAULT 0,  -- in a row
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz
);
CREATE INDEX push_subscriptions_user ON push_subscriptions (user_id);
CREATE INDEX push_subscriptions_session ON push_subscriptions (session_id);

CREATE TABLE push_settings (
    user_id bigint PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    mentions_only boolean NOT NULL DEFAULT false,
    hide_content boolean NOT NULL DEFAULT false,
    quiet_start text,                     -- HH:MM in quiet_timezone; null: no quiet hours
    quiet_end text,
    quiet_timezone text
);

CREATE TABLE chat_notifications (
    chat_id bigint NOT NULL REFERENCES chats ON DELETE CASCADE,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    workspace_id bigint NOT NULL,
    level text CHECK (level IN ('all', 'mentions', 'nothing')), -- null: what is usual for the chat
    muted_until timestamptz,
    PRIMARY KEY (user_id, chat_id)
);
CREATE INDEX chat_notifications_chat ON chat_notifications (chat_id);

CREATE TABLE push_deliveries (
    subscription_id bigint NOT NULL REFERENCES push_subscriptions ON DELETE CASCADE,
    message_id bigint NOT NULL,           -- 0: a test
    due_at timestamptz NOT NULL,          -- whoever sends it moves this on first, so that no other does
    expires_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    PRIMARY KEY (subscription_id, message_id)
);
CREATE INDEX push_deliveries_due ON push_deliveries (due_at);
