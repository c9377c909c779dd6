/** The routes behind settings and details, one function each: fetched by the parts of the page that are loaded later. */
import type { Client } from './client';
import type {
  ChangedChat,
  Chat,
  ChatMember,
  ChatRole,
  CreatedInvite,
  Id,
  Invite,
  MemberChange,
  NewInvite,
  NewWorkspace,
  ProfileChange,
  Session,
  SharedFile,
  User,
  Workspace,
  WorkspaceChange,
  WorkspaceMember,
} from './types';

export const FILES_PAGE = 50;

export const places = (client: Client) => ({
  updateProfile: (change: ProfileChange) => client.patch<User>('/api/users/me', change),
  changePassword: (current: string, next: string) =>
    client.post<null>('/api/auth/password', { current_password: current, new_password: next }),
  sessions: () => client.get<Session[]>('/api/auth/sessions'),
  endSession: (id: Id) => client.del(`/api/auth/sessions/${id}`),

  createWorkspace: (workspace: NewWorkspace) => client.post<Workspace>('/api/workspaces', workspace),
  updateWorkspace: (id: Id, change: WorkspaceChange) => client.put<Workspace>(`/api/workspaces/${id}`, change),
  deleteWorkspace: (id: Id) => client.del(`/api/workspaces/${id}`),
  workspaceMembers: (id: Id) => client.all<WorkspaceMember>(`/api/workspaces/${id}/members`),
  changeWorkspaceMember: (id: Id, user: Id, change: MemberChange) =>
    client.patch<WorkspaceMember>(`/api/workspaces/${id}/members/${user}`, change),
  removeWorkspaceMember: (id: Id, user: Id) => client.del(`/api/workspaces/${id}/members/${user}`),

  invites: (workspace: Id) => client.all<Invite>(`/api/workspaces/${workspace}/invites`, {}, 1000),
  createInvite: (workspace: Id, invite: NewInvite) =>
    client.post<CreatedInvite>(`/api/workspaces/${workspace}/invites`, invite),
  revokeInvite: (workspace: Id, invite: Id) => client.del(`/api/workspaces/${workspace}/invites/${invite}`),

  updateChat: (id: Id, change: ChangedChat) => client.put<Chat>(`/api/chats/${id}`, change),
  deleteChat: (id: Id) => client.del(`/api/chats/${id}`),
  leaveChat: (id: Id) => client.post<null>(`/api/chats/${id}/leave`),
  addMembers: (chat: Id, users: readonly Id[]) =>
    client.post<ChatMember[]>(`/api/chats/${chat}/members`, { user_ids: users }),
  removeMember: (chat: Id, user: Id) => client.del(`/api/chats/${chat}/members/${user}`),
  setChatRole: (chat: Id, user: Id, role: ChatRole) =>
    client.patch<ChatMember>(`/api/chats/${chat}/members/${user}`, { role }),
  files: (chat: Id, offset: number) =>
    client.get<SharedFile[]>(`/api/chats/${chat}/files`, { limit: FILES_PAGE, offset }),
});

export type PlacesApi = ReturnType<typeof places>;
