-- Indexes for what is deleted by age or with its workspace: without them each minute's tidying read all of the table.

CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);
CREATE INDEX sessions_end ON sessions (coalesce(ended_at, created_at));
CREATE INDEX chats_workspace ON chats (workspace_id);
