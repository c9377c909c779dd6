import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keepWorker } from '../../src/state/worker';

class Worker extends EventTarget {
  readonly postMessage = vi.fn();

  constructor(public state: ServiceWorkerState) {
    super();
  }

  becomes(state: ServiceWorkerState): void {
    this.state = state;
    this.dispatchEvent(new Event('statechange'));
  }
}

interface Registration {
  installing: Worker | null;
  waiting: Worker | null;
  active: Worker | null;
}

const registration = (parts: Partial<Registration>): Registration => ({
  ...{ installing: null, waiting: null, active: null },
  ...parts,
});

describe('the worker of the page', () => {
  const register = vi.fn<() => Promise<Registration>>();
  const browser = { serviceWorker: { register, controller: null as Worker | null } };

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('navigator', browser);
    register.mockReset();
    browser.serviceWorker.controller = null;
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('is registered again when it could not take in its files', async () => {
    const [first, second] = [new Worker('installing'), new Worker('installing')];
    register.mockResolvedValueOnce(registration({ installing: first }));
    register.mockResolvedValueOnce(registration({ installing: second }));
    const tried = vi.fn();
    const done = keepWorker(tried);
    await vi.advanceTimersByTimeAsync(2_000);
    first.becomes('redundant');
    await vi.runAllTimersAsync();
    expect(register).toHaveBeenCalledTimes(2);
    second.becomes('installed');
    await done;
    expect(tried).toHaveBeenCalledTimes(2);
  });

  it('is registered again when its script did not come', async () => {
    register.mockRejectedValueOnce(new TypeError('Failed to register'));
    register.mockResolvedValueOnce(registration({ active: new Worker('activated') }));
    const tried = vi.fn<(found: unknown) => void>();
    const done = keepWorker(tried);
    await vi.runAllTimersAsync();
    await done;
    expect(tried.mock.calls.map(([found]) => found === null)).toEqual([true, false]);
  });

  it('is not asked for again in a browser that keeps none', async () => {
    vi.spyOn(console, 'info').mockReturnValue();
    register.mockRejectedValue(new DOMException('Not here', 'SecurityError'));
    const done = keepWorker(() => undefined);
    await vi.runAllTimersAsync();
    await done;
    expect(register).toHaveBeenCalledTimes(1);
  });

  it('is asked to answer for a page that was on its way when it took over the others, and for no other', async () => {
    const active = new Worker('activated');
    register.mockResolvedValue(registration({ active }));
    const done = keepWorker(() => undefined);
    await vi.runAllTimersAsync();
    await done;
    expect(active.postMessage.mock.calls).toEqual([[{ what: 'claim' }]]);
    browser.serviceWorker.controller = active;
    await keepWorker(() => undefined);
    expect(active.postMessage).toHaveBeenCalledTimes(1);
  });

  it('stays when a newer one cannot be installed', async () => {
    const [active, fresh] = [new Worker('activated'), new Worker('installing')];
    browser.serviceWorker.controller = active;
    register.mockResolvedValue(registration({ active, installing: fresh }));
    const done = keepWorker(() => undefined);
    await vi.advanceTimersByTimeAsync(0);
    fresh.becomes('redundant');
    await done;
    expect(register).toHaveBeenCalledTimes(1);
  });
});
