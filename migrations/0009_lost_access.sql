-- Notify servers ask every second who has lost access lately, so that nobody has to list all open streams.

CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX users_suspended ON users (updated_at) WHERE status = 'Suspended';
