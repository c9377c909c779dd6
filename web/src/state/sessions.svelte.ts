/**
 * Where one is signed in.
 *
 * Sessions         load; list (this one first), end one
 */
import { places, type PlacesApi } from '../api/places';
import type { Client } from '../api/client';
import type { Id, Session } from '../api/types';

export class Sessions {
  list = $state.raw<readonly Session[] | null>(null);
  private readonly api: Pick<PlacesApi, 'sessions' | 'endSession'>;

  constructor(client: Client) {
    this.api = places(client);
  }

  async load(): Promise<void> {
    this.list = await this.api.sessions();
  }

  async end(id: Id): Promise<void> {
    await this.api.endSession(id);
    this.list = this.list?.filter((session) => session.id !== id) ?? null;
  }
}

/** A browser and a system out of what a browser says of itself; what is not known is shown as it came. */
export function deviceOf(agent: string): string {
  const browser = BROWSERS.find(([sign]) => agent.includes(sign))?.[1];
  const system = SYSTEMS.find(([sign]) => agent.includes(sign))?.[1];
  if (!browser) return agent.slice(0, 80);
  return system ? `${browser} · ${system}` : browser;
}

/** In this order: each of them also says what the later ones say. */
const BROWSERS = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['HeadlessChrome/', 'Chrome'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
] as const;
const SYSTEMS = [
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Android', 'Android'],
  ['Mac OS X', 'macOS'],
  ['Windows', 'Windows'],
  ['Linux', 'Linux'],
] as const;
