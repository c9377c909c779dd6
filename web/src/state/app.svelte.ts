/**
 * The parts of the client, put together once.
 *
 * App              the stores; run() follows the session: it starts and stops everything else
 * useApp           the App, for components
 */
import { createContext } from 'svelte';
import { getConfig } from '../api/auth';
import { Client } from '../api/client';
import { routes, type Api } from '../api/routes';
import type { Config, Message } from '../api/types';
import { EventStream } from '../realtime/stream';
import { applyMessage } from '../realtime/chats';
import { i18n } from '../i18n/i18n.svelte';
import { Attachments } from './attachments.svelte';
import { Chats } from './chats.svelte';
import { Connection } from './connection.svelte';
import { Drafts } from './drafts.svelte';
import { Edits } from './edits.svelte';
import { Originals } from './originals.svelte';
import { Messages } from './messages.svelte';
import { Outbox, type Outgoing } from './outbox.svelte';
import { People } from './people.svelte';
import { Presences } from './presence.svelte';
import { Preferences } from './preferences.svelte';
import { Receipts } from './receipts.svelte';
import { Replica } from './replica.svelte';
import { Router } from './router.svelte';
import { Session } from './session.svelte';
import { DeviceShelf } from './shelf';
import { Sync } from './sync.svelte';
import { Typing } from './typing.svelte';
import { Workspaces } from './workspaces.svelte';

const CONTENT_MAX = 16_384;

export class App {
  config = $state.raw<Config | null>(null);
  readonly preferences = new Preferences();
  readonly router = new Router();
  readonly session = new Session();
  readonly drafts = new Drafts();
  readonly connection = new Connection();
  readonly replica = new Replica();
  readonly api: Api = routes(new Client(this.session));
  readonly people = new People(this.api, this.replica);
  readonly messages = new Messages(this.api, this.replica);
  readonly originals = new Originals(this.api, this.replica);
  readonly typing = new Typing(this.api, this.replica);
  readonly presences = new Presences(this.api, this.replica);
  readonly receipts = new Receipts(this.api, this.replica);
  readonly edits = new Edits(this.api, this.replica);
  readonly workspaces = new Workspaces(this.api, this.replica, this.session);
  readonly chats = new Chats(this.api, this.replica, this.people, this.workspaces);
  readonly outbox = new Outbox({
    post: (draft) => this.post(draft),
    stored: (message) => this.store(message),
    shelf: new DeviceShelf(),
  });
  readonly attachments = new Attachments({
    credentials: this.session,
    workspaceOf: (chatId) => this.chats.get(chatId)?.workspace_id,
    limits: () => this.config?.limits,
    locale: () => i18n.locale,
  });
  readonly stream: EventStream = new EventStream({
    url: () => `${this.notifyUrl}/api/notifications/events`,
    token: () => this.session.token(),
    renew: (refused) => this.session.renew(refused),
    onEvent: (event, resumed) => this.sync.hear(event, resumed),
    onStatus: (status) => this.connection.set(status),
  });
  readonly sync: Sync = new Sync(this.api, this.replica, this.messages, this.people, this.stream);

  constructor() {
    this.connection.watch(this.stream);
    this.connection.onLive(() => {
      this.outbox.resume();
      this.presences.refresh();
    });
    addEventListener('online', () => this.outbox.resume());
    addEventListener('pagehide', () => this.edits.flush());
    this.replica.onEvent((event) => {
      if (event.type !== 'message.created' || event.payload.sender_id !== this.replica.me) return;
      if (event.payload.idempotency_key !== null) this.outbox.arrived(event.payload.idempotency_key);
    });
  }

  /** Words, settings of the server and the session of the cookie, at once; the page shows itself meanwhile. */
  async open(): Promise<void> {
    const config = getConfig().catch(() => null);
    await this.session.restore();
    this.config = await config;
    if (this.config === null) this.session.status = 'unreachable';
  }

  /** Called by the root component, inside an effect: whoever is signed in has everything running for them. */
  follow(): () => void {
    const user = this.session.user;
    if (user === null || this.config === null) return () => undefined;
    this.drafts.load(user.id);
    void this.outbox.load(user.id);
    this.sync.start(user);
    return () => {
      this.sync.stop();
      this.outbox.forget();
      this.attachments.forget();
      this.presences.forget();
      this.receipts.forget();
      this.originals.forget();
      this.drafts.forget();
      this.people.forget();
    };
  }

  get contentMax(): number {
    return this.config?.limits.content_chars ?? CONTENT_MAX;
  }

  private get notifyUrl(): string {
    const configured = this.config?.notify_url ?? '';
    return configured.replace(/\/+$/, '');
  }

  private post(draft: Outgoing): Promise<Message> {
    return this.api.post(draft.chatId, {
      content: draft.content,
      idempotency_key: draft.key,
      ...(draft.replyTo === null ? {} : { reply_to: draft.replyTo }),
      ...(draft.files.length === 0 ? {} : { files: draft.files.map((file) => file.id) }),
    });
  }

  private store(message: Message): void {
    this.replica.settle((model) => applyMessage(model, message, true));
  }
}

export const [useApp, provideApp] = createContext<App>();
