/** The nouns of the API under the names the page uses. They come out of the server's OpenAPI document (npm run gen). */
import type { ChatRole, CreatedInvite, File, Session } from './generated';

export type {
  Chat,
  ChatMember,
  ChatRole,
  ChatType,
  Config,
  Draft,
  Message,
  NewChat,
  SignIn,
  SignUp,
  User,
  Workspace,
  WorkspaceMember,
  WorkspaceRole,
} from './generated';
export type FileInfo = File;
export type Invite = CreatedInvite;
export type SignedIn = Session;

export type Id = number;

/** Who has which role in a chat: the payload of member events. */
export interface Membership {
  chat_id: Id;
  user_id: Id;
  role: ChatRole;
}

/** What the server says when it refuses (RFC 9457). */
export interface Problem {
  status: number;
  title: string;
  detail: string;
  code: string;
  request_id: string;
  errors: { field: string; message: string }[];
}
