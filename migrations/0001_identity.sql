-- Who is here: users and their sessions, workspaces and who is in them, invites, one-time tickets.
-- Keys that compare "without regard to case" hold the Unicode case folding that the program computes
-- (fechatter/domain/text.py), since lower() depends on the database's locale.

CREATE TABLE database_identity (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    epoch text NOT NULL,                  -- names this history of the event log; part of every cursor
    system_identifier text NOT NULL,      -- of the cluster that the epoch was made in: a restore elsewhere shows
    log_floor xid8 NOT NULL DEFAULT '0'   -- events with a lower xid have been pruned
);
COMMENT ON TABLE database_identity IS 'One row: what a resume cursor refers to.';

CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at = clock_timestamp();
    RETURN NEW;
END $$;

CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL,
    email_key text NOT NULL,
    fullname text NOT NULL,
    username text NOT NULL,
    username_key text NOT NULL,
    password_hash text,                   -- PHC string; null: cannot sign in with a password
    avatar text,
    status text NOT NULL DEFAULT 'Active' CHECK (status IN ('Active', 'Suspended')),
    locale text NOT NULL DEFAULT 'en',
    timezone text NOT NULL DEFAULT 'UTC',
    last_workspace_id bigint,
    last_pos bigint NOT NULL DEFAULT 0,   -- of the stream user:<id>
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_email_key ON users (email_key);
CREATE UNIQUE INDEX users_username_key ON users (username_key);
CREATE TRIGGER users_updated_at BEFORE UPDATE OF email, fullname, username, avatar, status, locale, timezone
    ON users FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE sessions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    user_agent text NOT NULL DEFAULT '',
    address text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
CREATE INDEX sessions_user ON sessions (user_id) WHERE ended_at IS NULL;

CREATE TABLE refresh_tokens (
    hash bytea PRIMARY KEY,               -- SHA-256 of the token
    session_id bigint NOT NULL REFERENCES sessions ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    spent_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

CREATE TABLE workspaces (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    description text,
    last_pos bigint NOT NULL DEFAULT 0,   -- of the stream workspace:<id>
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER workspaces_updated_at BEFORE UPDATE OF name, description
    ON workspaces FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE workspace_members (
    workspace_id bigint NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'guest')),
    status text NOT NULL DEFAULT 'Active' CHECK (status IN ('Active', 'Suspended')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX workspace_members_user ON workspace_members (user_id, workspace_id);
CREATE TRIGGER workspace_members_updated_at BEFORE UPDATE ON workspace_members
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE invites (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id bigint NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    code_hash bytea NOT NULL UNIQUE,      -- SHA-256 of the code, which is shown once
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'guest')),
    email text,
    email_key text,
    max_uses integer,                     -- null: as often as one likes
    uses integer NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL,
    created_by bigint NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX invites_workspace ON invites (workspace_id);

-- Lives for seconds and may be lost in a crash (the client asks for another), so it is not worth a WAL record.
CREATE UNLOGGED TABLE tickets (
    hash bytea PRIMARY KEY,               -- SHA-256 of the ticket
    user_id bigint NOT NULL,
    session_id bigint NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX tickets_expiry ON tickets (expires_at);
