-- Chats, who is in them, and what was said.
-- Every row carries workspace_id: docs/decisions/0003-distribution.md shows how the schema is distributed by it.

CREATE TABLE chats (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    type text NOT NULL CHECK (type IN ('Single', 'Group', 'PrivateChannel', 'PublicChannel')),
    name text NOT NULL,
    name_key text,                        -- channels: the case folding of the name
    description text,
    single_low bigint,                    -- Single: the two people, the lower id first (twice the same: notes)
    single_high bigint,
    created_by bigint NOT NULL REFERENCES users,
    member_count integer NOT NULL DEFAULT 0,
    last_seq bigint NOT NULL DEFAULT 0,   -- of the newest message
    last_pos bigint NOT NULL DEFAULT 0,   -- of the stream chat:<id>
    active_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);                 -- each post updates its chat's row: room on the page keeps that HOT
CREATE UNIQUE INDEX chats_channel_name ON chats (workspace_id, name_key) WHERE name_key IS NOT NULL;
CREATE UNIQUE INDEX chats_single_pair ON chats (workspace_id, single_low, single_high) WHERE type = 'Single';
CREATE INDEX chats_public ON chats (workspace_id) WHERE type = 'PublicChannel';
CREATE TRIGGER chats_updated_at BEFORE UPDATE OF name, description ON chats
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE chat_members (
    chat_id bigint NOT NULL REFERENCES chats ON DELETE CASCADE,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    workspace_id bigint NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    joined_pos bigint NOT NULL DEFAULT 0, -- of its member.added: replay withholds what is before it
    last_read_seq bigint NOT NULL DEFAULT 0,
    read_at timestamptz,
    hidden_seq bigint,                    -- Single, hidden by this one: until a message after this seq
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chat_id, user_id)
) WITH (fillfactor = 70);
CREATE INDEX chat_members_user ON chat_members (user_id, chat_id);

-- No foreign keys on what is written with each message: the posting statement itself joins the chat, the member
-- and the session, and a key check per row would cost as much as the insert.
CREATE TABLE messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL,
    chat_id bigint NOT NULL,
    seq bigint NOT NULL,                  -- 1, 2, 3 … in its chat, in commit order, without gaps
    sender_id bigint NOT NULL,
    content text NOT NULL,
    files bigint[],                       -- ids in the order given; null: none
    mentions bigint[],                    -- user ids in the order of the text; null: none
    reply_to bigint,                      -- a message id of the same chat
    idempotency_key text,
    draft_digest bytea,                   -- with a key: what was asked for, to tell a retry from a second message
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    edited_at timestamptz,
    deleted_at timestamptz
);
CREATE UNIQUE INDEX messages_seq ON messages (chat_id, seq);
CREATE UNIQUE INDEX messages_idempotency ON messages (sender_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE mentions (
    user_id bigint NOT NULL,
    chat_id bigint NOT NULL,
    seq bigint NOT NULL,
    workspace_id bigint NOT NULL,
    PRIMARY KEY (user_id, chat_id, seq)
);
