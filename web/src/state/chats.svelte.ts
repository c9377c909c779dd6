/**
 * The chats one is in.
 *
 * Chats            list (of the workspace, newest activity first), get, nameOf, create, join, browse, peek
 */
import { goneAsNull } from '../api/http';
import type { Api } from '../api/routes';
import type { Chat, Id, NewChat } from '../api/types';
import { withChat } from '../realtime/chats';
import { t } from '../i18n/i18n.svelte';
import type { People } from './people.svelte';
import type { Replica } from './replica.svelte';
import type { Workspaces } from './workspaces.svelte';

export class Chats {
  readonly list = $derived.by(() => {
    const workspaceId = this.workspaces.current?.id;
    return [...this.replica.chats.values()]
      .filter((chat) => chat.workspace_id === workspaceId)
      .map((chat) => ({ chat, at: activityOf(chat) }))
      .sort((a, b) => b.at - a.at || b.chat.id - a.chat.id)
      .map(({ chat }) => chat);
  });
  /** Unread messages of all chats of all workspaces, for the title of the page. */
  readonly unread = $derived.by(() =>
    [...this.replica.chats.values()].reduce((sum, chat) => sum + chat.unread_count, 0),
  );

  constructor(
    private readonly api: Api,
    private readonly replica: Replica,
    private readonly people: People,
    private readonly workspaces: Workspaces,
  ) {}

  get(id: Id): Chat | undefined {
    return this.replica.chats.get(id);
  }

  unreadIn(workspaceId: Id): number {
    return [...this.replica.chats.values()].reduce(
      (sum, chat) => sum + (chat.workspace_id === workspaceId ? chat.unread_count : 0),
      0,
    );
  }

  /** Its name; a direct message has the other person's, and that of one's own notes says so. */
  nameOf(chat: Chat): string {
    if (chat.type === 'Single') {
      const other = this.otherOf(chat);
      const name = this.people.get(other ?? this.replica.me)?.fullname ?? '';
      if (name) return other === null ? t('chats.notes', { name }) : name;
    }
    return chat.name || t('chats.unnamed');
  }

  /** The other person of a direct message; null for one's own notes and for other chats. */
  otherOf(chat: Chat): Id | null {
    return chat.member_ids?.find((id) => id !== this.replica.me) ?? null;
  }

  async create(draft: NewChat): Promise<Chat> {
    return this.keep(await this.api.createChat(draft));
  }

  async join(id: Id): Promise<Chat> {
    return this.keep(await this.api.join(id));
  }

  /** Channels of the workspace one may join and has not, whose name holds `q`; at most a page of them. */
  async browse(workspaceId: Id, q: string): Promise<Chat[]> {
    const open = await this.api.publicChats(workspaceId, q);
    return open.filter((chat) => !this.replica.chats.has(chat.id));
  }

  /** A public channel one is not in but may read; null if there is none of that id. Throws without an answer. */
  async peek(id: Id): Promise<Chat | null> {
    const found = await this.api.chat(id).catch(goneAsNull);
    return found?.type === 'PublicChannel' ? found : null;
  }

  private keep(chat: Chat): Chat {
    this.replica.change((model) => withChat(model, chat));
    return chat;
  }
}

const activityOf = (chat: Chat): number => Date.parse(chat.last_message?.created_at ?? chat.created_at);
