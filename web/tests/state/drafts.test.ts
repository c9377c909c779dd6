import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Drafts } from '../../src/state/drafts.svelte';

let kept: Record<string, string>;

beforeEach(() => {
  kept = {};
  const methods = {
    getItem: (name: string) => kept[name] ?? null,
    setItem: (name: string, value: string) => void (kept[name] = value),
    removeItem: (name: string) => void Reflect.deleteProperty(kept, name),
  };
  const names = {
    ownKeys: () => Object.keys(kept),
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  };
  vi.stubGlobal('localStorage', new Proxy(methods, names));
});
afterEach(() => void vi.unstubAllGlobals());

function openedBy(owner: number): Drafts {
  const drafts = new Drafts();
  drafts.load(owner);
  return drafts;
}

describe('drafts', () => {
  it('are there again after a reload, per chat', () => {
    const drafts = openedBy(7);
    drafts.set(1, 'half a thought');
    drafts.set(2, '下次再说');
    const again = openedBy(7);
    expect([again.get(1), again.get(2), again.get(3)]).toEqual(['half a thought', '下次再说', '']);
    expect([again.has(1), again.has(3)]).toEqual([true, false]);
  });

  it('are gone once they are empty, and blanks alone are none to speak of', () => {
    const drafts = openedBy(7);
    drafts.set(1, 'x');
    drafts.set(1, '');
    drafts.set(2, '  ');
    expect(kept).toEqual({ 'fechatter.draft.7.2': '  ' });
    expect(drafts.has(2)).toBe(false);
  });

  it('are not shown to the next person, and do not outlive their writer', () => {
    openedBy(7).set(1, 'private');
    expect(openedBy(8).get(1)).toBe('');
    expect(kept).toEqual({});
    const drafts = openedBy(7);
    drafts.set(1, 'private');
    drafts.forget();
    expect([kept, drafts.get(1)]).toEqual([{}, '']);
  });
});
