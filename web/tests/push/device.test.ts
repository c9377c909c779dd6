import { describe, expect, it, vi } from 'vitest';
import { bytesOf } from '../../src/push/device.svelte';
import { deviceName } from '../../src/push/names';
import { withdraw } from '../../src/push/notices';

describe('a device', () => {
  it('is called by its browser and system', () => {
    expect(deviceName('Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36')).toBe(
      'Chrome · Linux',
    );
    expect(deviceName('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1')).toBe(
      'Safari · iPhone',
    );
    expect(deviceName('curl/8.0')).toBe('curl/8.0');
    expect(deviceName('')).toBe('?');
  });

  it('reads a key in base64url', () => {
    expect([...bytesOf('-_8A')]).toEqual([251, 255, 0]);
  });
});

describe('notifications on the screen', () => {
  it('go away when their messages are read, and no other', async () => {
    const notice = (data: unknown) => ({ data, close: vi.fn() });
    const shown = [
      notice({ chatId: 1, seq: 4 }),
      notice({ chatId: 1, seq: 6 }),
      notice({ chatId: null }),
      notice(null),
    ];
    const registration = { getNotifications: () => Promise.resolve(shown) } as unknown as ServiceWorkerRegistration;
    await withdraw(registration, (chatId, seq) => chatId === 1 && seq <= 5);
    expect(shown.map((one) => one.close.mock.calls.length)).toEqual([1, 0, 0, 0]);
  });
});
