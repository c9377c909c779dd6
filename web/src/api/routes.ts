/** The routes of the API that the page uses, one function each, for a signed-in person. */
import type { Client } from './client';
import type {
  Chat,
  ChatMember,
  ChatNotifications,
  ChatNotificationsChange,
  CreatedInvite,
  Draft,
  Id,
  Message,
  NewChat,
  NewPresence,
  NewPushSubscription,
  PushKey,
  PushSettings,
  PushSubscriptionInfo,
  ReadPosition,
  User,
  UserPresence,
  Workspace,
} from './types';

/** Which part of a history: its end, before or after a message, around one, or around a moment. */
export type Place = { before_id: Id } | { after_id: Id } | { around_id: Id } | { at: string } | Record<string, never>;

export const PAGE_SIZE = 50;

export const routes = (client: Client) => ({
  me: () => client.get<User>('/api/users/me'),
  user: (id: Id) => client.get<User>(`/api/users/${id}`),
  people: (workspace: Id, q?: string) =>
    client.get<User[]>('/api/users', { workspace_id: workspace, limit: 100, ...(q ? { q } : {}) }),

  workspaces: () => client.all<Workspace>('/api/workspaces'),
  invite: (workspace: Id) => client.post<CreatedInvite>(`/api/workspaces/${workspace}/invites`, {}),
  acceptInvite: (code: string) => client.post<Workspace>(`/api/invites/${encodeURIComponent(code)}/accept`),

  chats: (workspace: Id) => client.all<Chat>('/api/chats', { workspace_id: workspace }),
  chat: (id: Id) => client.get<Chat>(`/api/chats/${id}`),
  createChat: (chat: NewChat) => client.post<Chat>('/api/chats', chat),
  publicChats: (workspace: Id, q?: string) =>
    client.get<Chat[]>('/api/chats/public', { workspace_id: workspace, limit: 100, ...(q ? { q } : {}) }),
  join: (chat: Id) => client.post<Chat>(`/api/chats/${chat}/join`),
  members: (chat: Id) => client.all<ChatMember>(`/api/chats/${chat}/members`, {}, 1000),

  messages: (chat: Id, place: Place, limit = PAGE_SIZE) =>
    client.get<Message[]>(`/api/chats/${chat}/messages`, { limit, ...place }),
  post: (chat: Id, message: Draft) => client.post<Message>(`/api/chats/${chat}/messages`, message),
  edit: (chat: Id, message: Id, content: string) =>
    client.put<Message>(`/api/chats/${chat}/messages/${message}`, { content }),
  removeMessage: (chat: Id, message: Id) => client.del(`/api/chats/${chat}/messages/${message}`),
  receipts: (chat: Id) => client.all<ReadPosition>(`/api/chats/${chat}/receipts`, {}, 1000),
  typing: (chat: Id) => client.post<null>(`/api/chats/${chat}/typing`),
  presence: (users: readonly Id[]) => client.get<UserPresence[]>('/api/presence', { user_id: users }),
  setPresence: (presence: NewPresence) => client.put<UserPresence>('/api/users/me/presence', presence),
  pushKey: () => client.get<PushKey>('/api/push/key'),
  pushDevices: () => client.get<PushSubscriptionInfo[]>('/api/push/subscriptions'),
  addPushDevice: (device: NewPushSubscription) => client.post<PushSubscriptionInfo>('/api/push/subscriptions', device),
  removePushDevice: (id: Id) => client.del(`/api/push/subscriptions/${id}`),
  testPush: (id: Id) => client.post<null>(`/api/push/subscriptions/${id}/test`),
  pushSettings: () => client.get<PushSettings>('/api/push/settings'),
  setPushSettings: (settings: PushSettings) => client.put<PushSettings>('/api/push/settings', settings),
  notifications: (chat: Id) => client.get<ChatNotifications>(`/api/chats/${chat}/notifications`),
  setNotifications: (chat: Id, chosen: ChatNotificationsChange) =>
    client.put<ChatNotifications>(`/api/chats/${chat}/notifications`, chosen),
  read: (chat: Id, seq: number) => client.post<null>(`/api/chats/${chat}/read`, { seq }),
});

export type Api = ReturnType<typeof routes>;
