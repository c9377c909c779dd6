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
import { SharedStream } from '../realtime/shared';
import type { Snapshot } from '../realtime/snapshot';
import { applyMessage } from '../realtime/chats';
import { i18n } from '../i18n/i18n.svelte';
import { Attachments } from './attachments.svelte';
import { Chats } from './chats.svelte';
import { Connection } from './connection.svelte';
import { Drafts } from './drafts.svelte';
import { Edits } from './edits.svelte';
import { Keeper, load, wipe, type Kept } from './keeper';
import { Layout } from './layout.svelte';
import { Originals } from './originals.svelte';
import { Messages } from './messages.svelte';
import { Onboarding } from './onboarding.svelte';
import { byLock, Outbox, type Outgoing } from './outbox.svelte';
import { Overlays } from './overlays.svelte';
import { People } from './people.svelte';
import { Presences } from './presence.svelte';
import type { Pwa } from './pwa.svelte';
import { Preferences } from './preferences.svelte';
import { Receipts } from './receipts.svelte';
import { Replica } from './replica.svelte';
import { Router } from './router.svelte';
import { Sections } from './sections.svelte';
import { Session } from './session.svelte';
import { DeviceShelf } from './shelf';
import { Sync } from './sync.svelte';
import { Typing } from './typing.svelte';
import { Workspaces } from './workspaces.svelte';

const CONTENT_MAX = 16_384;

export class App {
  config = $state.raw<Config | null>(null);
  /** Updates, installing and notifications; loaded once the page is shown. */
  pwa = $state.raw<Pwa | null>(null);
  readonly preferences = new Preferences();
  readonly router = new Router();
  readonly session = new Session();
  readonly drafts = new Drafts();
  readonly connection = new Connection();
  readonly replica = new Replica();
  readonly layout = new Layout();
  readonly overlays = new Overlays();
  readonly client = new Client(this.session);
  readonly api: Api = routes(this.client);
  readonly people = new People(this.api, this.replica);
  readonly messages = new Messages(this.api, this.replica);
  readonly originals = new Originals(this.api, this.replica);
  readonly typing = new Typing(this.api, this.replica);
  readonly presences = new Presences(this.api, this.replica);
  readonly receipts = new Receipts(this.api, this.replica);
  readonly edits = new Edits(this.api, this.replica);
  readonly workspaces = new Workspaces(this.api, this.replica, this.session);
  readonly chats = new Chats(this.api, this.replica, this.people, this.workspaces);
  readonly sections = new Sections(this.chats);
  readonly onboarding = new Onboarding(this.chats, this.workspaces);
  readonly outbox = new Outbox({
    post: (draft) => this.post(draft),
    stored: (message) => this.store(message),
    shelf: new DeviceShelf(),
    exclusive: byLock,
  });
  readonly attachments = new Attachments({
    credentials: this.session,
    workspaceOf: (chatId) => this.chats.get(chatId)?.workspace_id,
    limits: () => this.config?.limits,
    locale: () => i18n.locale,
  });
  readonly stream: SharedStream<Snapshot> = new SharedStream<Snapshot>({
    url: () => `${this.notifyUrl}/api/notifications/events`,
    token: () => this.session.token(),
    renew: (refused) => this.session.renew(refused),
    onEvent: (event, resumed) => this.sync.hear(event, resumed),
    onStatus: (status) => this.connection.set(status),
    state: () => (this.sync.settled ? this.replica.snapshot(this.messages.recent) : null),
    adopt: (snapshot) => this.sync.adopt(snapshot),
  });
  readonly sync: Sync = new Sync(this.api, this.replica, this.messages, this.people, this.stream);

  /** What the last visit left, until somebody is signed in. */
  private kept: Kept | null = null;
  private readonly keeper = new Keeper();

  constructor() {
    this.connection.watch(this.stream);
    this.connection.onLive(() => {
      this.outbox.resume();
      this.presences.refresh();
    });
    addEventListener('online', () => this.outbox.resume());
    addEventListener('pagehide', () => {
      void this.edits.flush();
      this.keeper.now();
    });
    document.addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && this.keeper.now());
    this.replica.onEvent((event) => {
      if (event.type === 'user.updated') this.session.update(event.payload);
    });
    this.replica.onEvent((event) => {
      if (event.type !== 'message.created' || event.payload.sender_id !== this.replica.me) return;
      if (event.payload.idempotency_key !== null) this.outbox.arrived(event.payload.idempotency_key);
    });
  }

  /**
   * Settings of the server and the session of the cookie are asked for; what the last visit left is shown meanwhile,
   * and goes on being shown while the server cannot be reached.
   */
  async open(): Promise<void> {
    const config = getConfig().catch(() => null);
    const session = this.session.restore();
    const kept = this.session.user === null ? await load() : null;
    if (kept && this.session.assume(kept.user, kept.workspaceId)) {
      this.kept = kept;
      this.config = kept.config;
    }
    await session;
    this.config = (await config) ?? this.config;
    if (this.config === null) this.session.status = 'unreachable';
    if (this.session.status === 'signed-out') void wipe();
  }

  /** What was deleted a moment ago, and could still be undone, is deleted before its owner leaves. */
  async signOut(where: 'here' | 'everywhere'): Promise<void> {
    await this.edits.flush();
    await (where === 'here' ? this.session.signOut() : this.session.signOutEverywhere());
  }

  /** Called by the root component, inside an effect: whoever is signed in has everything running for them. */
  follow(): () => void {
    const user = this.session.user;
    if (user === null || this.config === null) return () => undefined;
    this.drafts.load(user.id);
    void this.outbox.load(user.id);
    this.sync.start(user, this.kept?.user.id === user.id ? this.kept : null);
    this.kept = null;
    const unkeep = this.keep();
    return () => {
      unkeep();
      this.sync.stop();
      this.outbox.forget();
      this.attachments.forget();
      this.presences.forget();
      this.receipts.forget();
      this.originals.forget();
      this.edits.forget();
      this.drafts.forget();
      this.people.forget();
    };
  }

  /** Keep the state on the device from now on; the answer ends that, and takes away what was kept. */
  private keep(): () => void {
    const { keeper, replica, sync, messages, stream, session } = this;
    keeper.start(() => {
      const [user, config, cursor] = [session.user, this.config, stream.cursor];
      if (!stream.isLeader || !sync.settled || user === null || config === null || cursor === null) return null;
      const snapshot = replica.snapshot(messages.recent);
      return snapshot && { user, config, cursor, snapshot, workspaceId: this.workspaces.current?.id ?? null };
    });
    const unwatch = $effect.root(() => {
      $effect(() => {
        void [replica.workspaces, replica.chats, replica.windows, replica.members, replica.people];
        keeper.soon();
      });
    });
    return () => {
      unwatch();
      keeper.stop();
      void wipe();
    };
  }

  /** Something would be lost, or would have to be found again, if the page were loaded anew now. */
  get hasOpenWork(): boolean {
    if (this.outbox.size > 0 || this.attachments.size > 0 || this.drafts.size > 0) return true;
    const fields = document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>('textarea, input:not([type])');
    return document.querySelector('dialog[open]') !== null || [...fields].some((field) => field.value !== '');
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
