-- What guards the edges: presence, rate limits, the audit log; what a suspension sets aside and a deletion leaves to do.

-- The key under which names are searched (fechatter/domain/text.py: fold); null: written before this column was.
ALTER TABLE users ADD COLUMN fullname_key text;

-- The program keeps it up for each stream that is open and each request; no index holds what changes then, so that
-- updates stay on their page.
CREATE TABLE presence (
    user_id bigint PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    chosen text CHECK (chosen IN ('away', 'busy', 'offline')),  -- null: as it is
    chosen_at timestamptz,
    note text,                            -- what the person says with it
    until timestamptz,                    -- when `chosen` and `note` end; null: never
    connected_at timestamptz,             -- when a stream was last known to be open
    left_at timestamptz,                  -- when the last stream was closed; before connected_at: one is open again
    active_at timestamptz,                -- when the person last did something
    told text NOT NULL DEFAULT 'offline'  -- the status that others were told of last
) WITH (fillfactor = 50);
CREATE INDEX presence_told ON presence (user_id) WHERE told <> 'offline';

-- Lost in a crash: then everybody has a full allowance again.
CREATE UNLOGGED TABLE rate_limits (
    key text COLLATE "C" PRIMARY KEY,
    free_at timestamptz NOT NULL          -- when the allowance is full again
) WITH (fillfactor = 50);

-- No foreign keys: what happened stays known when those whom it concerned are gone. No secrets, no message text.
CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    action text NOT NULL,
    actor_id bigint,                      -- null: the operator, or somebody unknown
    session_id bigint,
    subject_id bigint,                    -- the user whom it concerns
    workspace_id bigint,
    address text,
    detail jsonb
);
CREATE INDEX audit_log_subject ON audit_log (subject_id, at);
CREATE INDEX audit_log_workspace ON audit_log (workspace_id, at) WHERE workspace_id IS NOT NULL;

-- The places in chats that somebody who is suspended in a workspace gets back.
CREATE TABLE suspended_chat_members (
    chat_id bigint NOT NULL REFERENCES chats ON DELETE CASCADE,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    workspace_id bigint NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    last_read_seq bigint NOT NULL,
    PRIMARY KEY (chat_id, user_id)
);
CREATE INDEX suspended_chat_members_user ON suspended_chat_members (user_id, workspace_id);

-- Chats that are gone, whose messages are still to be deleted, a few thousand at a time.
CREATE TABLE chat_garbage (
    chat_id bigint PRIMARY KEY,
    workspace_id bigint NOT NULL,
    due timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION discard_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chat_garbage (chat_id, workspace_id) VALUES (OLD.id, OLD.workspace_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER chats_discard AFTER DELETE ON chats FOR EACH ROW EXECUTE FUNCTION discard_messages();

CREATE INDEX invites_created_by ON invites (created_by);
