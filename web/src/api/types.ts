/** The nouns of the API as they come over the wire (the OpenAPI document of the server says the same). */

export type Id = number;

export type ChatType = 'Single' | 'Group' | 'PrivateChannel' | 'PublicChannel';
export type ChatRole = 'owner' | 'admin' | 'member';
export type WorkspaceRole = ChatRole | 'guest';

export interface User {
  id: Id;
  fullname: string;
  username: string;
  email: string;
  avatar: string | null;
  status: 'Active' | 'Suspended';
  presence: 'online' | 'away' | 'busy' | 'offline';
  locale: string;
  timezone: string;
  created_at: string;
  updated_at: string;
}

export interface Workspace {
  id: Id;
  name: string;
  description: string | null;
  role: WorkspaceRole;
  created_at: string;
  updated_at: string;
}

export interface WorkspaceMember {
  workspace_id: Id;
  user_id: Id;
  role: WorkspaceRole;
  status: 'Active' | 'Suspended';
  created_at: string;
  fullname: string;
  username: string;
  avatar: string | null;
}

export interface FileInfo {
  id: Id;
  name: string;
  mime_type: string;
  size: number;
  sha256: string;
  url: string;
  created_at: string;
  width?: number | null;
  height?: number | null;
  thumbnail_url?: string | null;
}

export interface Message {
  id: Id;
  chat_id: Id;
  seq: number;
  sender_id: Id;
  content: string;
  files: FileInfo[];
  reply_to: Id | null;
  mentions: Id[];
  created_at: string;
  edited_at: string | null;
  deleted_at: string | null;
  idempotency_key: string | null;
}

/** In events, which all members share, the counts are a newcomer's. `member_ids` is there for a Single alone. */
export interface Chat {
  id: Id;
  workspace_id: Id;
  name: string;
  type: ChatType;
  description: string | null;
  created_by: Id;
  created_at: string;
  updated_at: string;
  member_count: number;
  member_ids: Id[] | null;
  last_message: Message | null;
  last_seq: number;
  last_read_seq: number;
  unread_count: number;
  mention_count: number;
}

export interface ChatMember {
  chat_id: Id;
  user_id: Id;
  role: ChatRole;
  created_at: string;
  fullname: string;
  avatar: string | null;
}

export interface Membership {
  chat_id: Id;
  user_id: Id;
  role: ChatRole;
}

export interface Invite {
  id: Id;
  code: string;
  url: string;
}

export interface SignedIn {
  token: string;
  token_type: string;
  expires_in: number;
  user: User;
  workspace: Workspace | null;
}

export interface Config {
  name: string;
  version: string;
  notify_url: string;
  signup: 'open' | 'invite' | 'closed';
  limits: Record<string, unknown>;
  features: Record<string, unknown> | string[];
}

export interface Problem {
  status: number;
  title: string;
  detail: string;
  code: string;
  request_id: string;
  errors: { field: string; message: string }[];
}
