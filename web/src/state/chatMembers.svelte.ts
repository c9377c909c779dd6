/**
 * Who is in a chat, and what one may do about it.
 *
 * ChatMembers      load; list, mine (one's own role), add, remove, setRole, leave
 */
import { places, type PlacesApi } from '../api/places';
import type { Chat, ChatMember, ChatRole, Id } from '../api/types';
import { applyChatGone, withChat } from '../realtime/chats';
import type { App } from './app.svelte';

export class ChatMembers {
  readonly list = $derived.by(() => this.app.replica.members.get(this.chatId) ?? null);
  readonly mine = $derived.by(() => this.list?.find((member) => member.user_id === this.app.replica.me)?.role ?? null);
  private readonly api: PlacesApi;

  constructor(
    private readonly app: App,
    private readonly chatId: Id,
  ) {
    this.api = places(app.client);
  }

  async load(): Promise<void> {
    await this.app.people.loadMembers(this.chatId);
  }

  async add(userIds: readonly Id[]): Promise<void> {
    const added = await this.api.addMembers(this.chatId, userIds);
    this.change((members) => {
      const known = new Set(members.map((member) => member.user_id));
      return [...members, ...added.filter((member) => !known.has(member.user_id))];
    });
  }

  async remove(userId: Id): Promise<void> {
    await this.api.removeMember(this.chatId, userId);
    this.change((members) => members.filter((member) => member.user_id !== userId));
  }

  /** Making another the owner makes oneself an admin: the list is asked for anew. */
  async setRole(userId: Id, role: ChatRole): Promise<void> {
    const changed = await this.api.setChatRole(this.chatId, userId, role);
    this.change((members) => members.map((member) => (member.user_id === userId ? changed : member)));
    if (role === 'owner') await this.load();
  }

  async leave(): Promise<void> {
    await this.api.leaveChat(this.chatId);
    this.app.replica.settle((model) => applyChatGone(model, this.chatId));
  }

  /** Delete it for all; a direct message is only hidden, until its next message. */
  async delete(): Promise<void> {
    await this.api.deleteChat(this.chatId);
    this.app.replica.settle((model) => applyChatGone(model, this.chatId));
  }

  async rename(change: { name?: string; description?: string | null }): Promise<void> {
    const chat: Chat = await this.api.updateChat(this.chatId, change);
    this.app.replica.change((model) => withChat(model, chat));
  }

  private change(step: (members: readonly ChatMember[]) => readonly ChatMember[]): void {
    this.app.replica.change((model) => {
      const members = model.members.get(this.chatId);
      if (!members) return model;
      const next = step(members);
      const chat = model.chats.get(this.chatId);
      const counted = chat ? new Map(model.chats).set(chat.id, { ...chat, member_count: next.length }) : model.chats;
      return { ...model, chats: counted, members: new Map(model.members).set(this.chatId, next) };
    });
  }
}
