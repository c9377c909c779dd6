/**
 * The page as an application of the device: its worker, its updates, its icon. Loaded once the page is shown.
 *
 * Pwa              updateReady, update; installing (how this browser can), install; badge and notifications follow what
 *                  is read
 *
 * A new version takes over when its user says so, or while nobody looks and nothing is begun.
 */
import { release, renew } from '../push/device.svelte';
import { withdraw } from '../push/notices';
import type { PageMessage, WorkerMessage } from '../worker/words';
import type { App } from './app.svelte';
import { keepWorker } from './worker';

/** What Chromium hands out when the page can be installed. */
export interface InstallOffer extends Event {
  prompt(): Promise<unknown>;
  readonly userChoice: Promise<{ outcome: 'accepted' | 'dismissed' }>;
}

const LOOK_MS = 30 * 60_000;

export class Pwa {
  /** A new version is on the device and waits. */
  updateReady = $state(false);
  /** `prompt`: the browser asks; `share`: iOS, where one does it by hand; null: it is installed, or cannot be. */
  installing = $state<'prompt' | 'share' | null>(isIos() && !isInstalled() ? 'share' : null);
  private installOffer: InstallOffer | null = null;
  private readonly registered: Promise<void>;
  private registration: ServiceWorkerRegistration | null = null;
  private lookedAt = Date.now();
  /** The page runs what a worker gave it: another worker means another version. */
  private hasWorker = false;
  private consented = false;

  constructor(private readonly app: App) {
    addEventListener('appinstalled', () => (this.installing = null));
    $effect.root(() => {
      $effect(() => showBadge(app.session.user === null ? 0 : app.chats.unread));
      $effect(() => {
        if (app.session.status === 'signed-out') void this.leave();
        else if (app.session.user !== null) void this.arrive(app.session.user.id);
      });
    });
    app.replica.onEvent((event) => {
      if (event.type !== 'receipt.updated' || event.payload.user_id !== app.replica.me) return;
      void this.withdraw(event.payload.chat_id, event.payload.last_read_seq);
    });
    this.registered = 'serviceWorker' in navigator ? this.register() : Promise.resolve();
  }

  offer(event: Event): void {
    this.installOffer = event as InstallOffer;
    this.installing = 'prompt';
  }

  async install(): Promise<void> {
    const offer = this.installOffer;
    if (offer === null) return;
    this.installOffer = null;
    this.installing = null;
    await offer.prompt();
  }

  /** Take the new version. What is being written is kept on the device, and is there again. */
  update(): void {
    this.consented = true;
    if (this.registration?.waiting) this.registration.waiting.postMessage({ what: 'take-over' } satisfies PageMessage);
    else location.reload();
  }

  /** Null in a browser without workers, or if the server gave none. */
  async worker(): Promise<ServiceWorkerRegistration | null> {
    if (!('serviceWorker' in navigator) || this.registration === null) return null;
    return await navigator.serviceWorker.ready;
  }

  /** Resolves once it has been tried, whatever came of it. */
  private register(): Promise<void> {
    const { serviceWorker } = navigator;
    this.hasWorker = serviceWorker.controller !== null;
    serviceWorker.addEventListener('controllerchange', () => this.changed());
    serviceWorker.addEventListener('message', (message: MessageEvent<WorkerMessage>) => {
      if (message.data.what === 'open') this.app.router.go(message.data.path);
    });
    document.addEventListener('visibilitychange', () => this.seen());
    return new Promise((resolve) => {
      void keepWorker((registration) => {
        if (registration && registration !== this.registration) this.follow(registration);
        resolve();
      });
    });
  }

  private follow(registration: ServiceWorkerRegistration): void {
    this.registration = registration;
    void this.withdrawRead();
    if (registration.waiting && this.hasWorker) this.updateReady = true;
    registration.addEventListener('updatefound', () => {
      const fresh = registration.installing;
      fresh?.addEventListener('statechange', () => {
        if (fresh.state === 'installed' && navigator.serviceWorker.controller) this.updateReady = true;
      });
    });
  }

  /** Another worker has taken over, by this tab's wish or another's. */
  private changed(): void {
    if (!this.hasWorker) {
      this.hasWorker = true;
      return;
    }
    if (this.consented || !this.app.hasOpenWork) location.reload();
    else this.updateReady = true;
  }

  private seen(): void {
    if (document.visibilityState === 'hidden') {
      if (this.updateReady && !this.app.hasOpenWork) this.update();
      return;
    }
    void this.withdrawRead();
    if (Date.now() - this.lookedAt < LOOK_MS) return;
    this.lookedAt = Date.now();
    // Away: the next look asks again.
    this.registration?.update().catch(() => undefined);
  }

  private async withdraw(chatId: number, seq: number): Promise<void> {
    if (this.registration) await withdraw(this.registration, (id, shown) => id === chatId && shown <= seq);
  }

  /** What was read on another device while no page was open here. */
  private async withdrawRead(): Promise<void> {
    const { chats, sync } = this.app;
    if (!this.registration || !sync.ready) return;
    await withdraw(this.registration, (id, seq) => seq <= (chats.get(id)?.last_read_seq ?? 0));
  }

  /** This device is the new session's, if its owner wants to be told here. Away: the next start says it again. */
  private async arrive(owner: number): Promise<void> {
    await this.registered;
    await renew(this.app.api, this, owner).catch(() => undefined);
  }

  private async leave(): Promise<void> {
    await this.registered;
    this.say({ what: 'forget' });
    await release(this).catch(() => undefined);
  }

  private say(message: PageMessage): void {
    this.registration?.active?.postMessage(message);
  }
}

function showBadge(count: number): void {
  if (!('setAppBadge' in navigator)) return;
  // Where there is no icon to put it on, it is refused.
  navigator.setAppBadge(count).catch(() => undefined);
}

const isInstalled = (): boolean => matchMedia('(display-mode: standalone)').matches;

const isIos = (): boolean =>
  /iPhone|iPad|iPod/.test(navigator.userAgent) || (/Mac/.test(navigator.userAgent) && navigator.maxTouchPoints > 1);
