/**
 * Whether this device is told of messages while no page is open.
 *
 * PushDevice       state, turnOn, turnOff
 * renew            after a sign-in: the device belongs to this session now, if its owner had turned it on
 * release          after a sign-out: nothing comes any more
 */
import type { Api } from '../api/routes';
import type { Id } from '../api/types';
import { keep, recall } from '../state/device';
import type { Pwa } from '../state/pwa.svelte';

/** `ios`: only once it is on the Home Screen. `denied`: the browser's own settings forbid it. */
export type PushState = 'unsupported' | 'ios' | 'denied' | 'off' | 'on';

const OWNER = 'push';

export class PushDevice {
  state = $state<PushState>('off');

  constructor(
    private readonly api: Api,
    private readonly pwa: Pwa,
    private readonly owner: Id,
  ) {
    this.state = stateOf(owner, pwa);
  }

  /** Throws when the browser's push service cannot be reached, or our server. */
  async turnOn(): Promise<void> {
    if ((await Notification.requestPermission()) === 'granted') {
      keep(OWNER, String(this.owner));
      try {
        await subscribe(this.api, this.pwa);
      } catch (error) {
        keep(OWNER, null);
        throw error;
      }
    }
    this.state = stateOf(this.owner, this.pwa);
  }

  async turnOff(): Promise<void> {
    const mine = (await this.api.pushDevices()).find((device) => device.current);
    if (mine) await this.api.removePushDevice(mine.id);
    await release(this.pwa);
    this.state = stateOf(this.owner, this.pwa);
  }
}

export async function renew(api: Api, pwa: Pwa, owner: Id): Promise<void> {
  if (stateOf(owner, pwa) === 'on') await subscribe(api, pwa);
}

export async function release(pwa: Pwa): Promise<void> {
  keep(OWNER, null);
  const worker = await pwa.worker();
  await (await worker?.pushManager?.getSubscription())?.unsubscribe();
}

function stateOf(owner: Id, pwa: Pwa): PushState {
  if (!('Notification' in globalThis) || !('PushManager' in globalThis))
    return pwa.installing === 'share' ? 'ios' : 'unsupported';
  if (Notification.permission === 'denied') return 'denied';
  return Notification.permission === 'granted' && recall(OWNER) === String(owner) ? 'on' : 'off';
}

/** Another key than the one subscribed with means another installation: then the old one is let go. */
async function subscribe(api: Api, pwa: Pwa): Promise<void> {
  const worker = await pwa.worker();
  if (worker === null) throw new Error('This page has no worker.');
  const key = bytesOf((await api.pushKey()).public_key);
  const known = await worker.pushManager.getSubscription();
  if (known && !isSame(known.options.applicationServerKey, key)) await known.unsubscribe();
  const subscription = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  const { endpoint, keys } = subscription.toJSON();
  await api.addPushDevice({
    endpoint: endpoint ?? '',
    keys: { p256dh: keys?.['p256dh'] ?? '', auth: keys?.['auth'] ?? '' },
  });
}

export function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function isSame(a: ArrayBuffer | null, b: Uint8Array): boolean {
  const bytes = a === null ? [] : [...new Uint8Array(a)];
  return bytes.length === b.length && bytes.every((byte, index) => byte === b[index]);
}
