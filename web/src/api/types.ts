/** The nouns of the API under the names the page uses. They come out of the server's OpenAPI document (npm run gen). */
import type { ChatRole, File, PushSubscription, SignedInSession } from './generated';

export type {
  Chat,
  ChatMember,
  ChatNotifications,
  ChatNotificationsChange,
  ChangedChat,
  ChatRole,
  ChatType,
  Config,
  CreatedInvite,
  Draft,
  Invite,
  MemberChange,
  Message,
  NewChat,
  NewInvite,
  NewPresence,
  NewPushSubscription,
  NotifyLevel,
  NewWorkspace,
  Presence,
  Problem,
  ProfileChange,
  PushKey,
  PushSettings,
  ReadPosition,
  Session,
  SharedFile,
  SignIn,
  SignUp,
  User,
  UserPresence,
  Workspace,
  WorkspaceChange,
  WorkspaceMember,
  WorkspaceRole,
} from './generated';
export type FileInfo = File;
export type PushSubscriptionInfo = PushSubscription;
export type SignedIn = SignedInSession;

export type Id = number;

/** Who has which role in a chat: the payload of member events. */
export interface Membership {
  chat_id: Id;
  user_id: Id;
  role: ChatRole;
}
