/** Whether the page hears the server: what the banner shows, and the nudges that end a wait early. */
import type { StreamStatus } from '../realtime/stream';

export class Connection {
  status = $state<StreamStatus>('stopped');
  /** True from the first live moment on: before it, the page is opening, not broken. */
  wasLive = $state(false);
  private readonly returns = new Set<() => void>();

  set(status: StreamStatus): void {
    if (status === this.status) return;
    this.status = status;
    if (status === 'stopped') this.wasLive = false;
    if (status !== 'live') return;
    this.wasLive = true;
    for (const back of this.returns) back();
  }

  /** Called each time the stream is live again. */
  onLive(back: () => void): void {
    this.returns.add(back);
  }

  /** Come back at once when the network does, or when the page is looked at again. */
  watch(stream: { nudge(): void; renew(): void }): void {
    addEventListener('online', () => stream.renew());
    addEventListener('offline', () => {
      if (this.status !== 'stopped') this.status = 'offline';
    });
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible' && this.status !== 'live') stream.nudge();
    });
  }
}
