/**
 * The invites of a workspace.
 *
 * Invites          load; list (newest first), create, revoke; stateOf an invite
 */
import type { Client } from '../api/client';
import { places, type PlacesApi } from '../api/places';
import type { CreatedInvite, Id, Invite, NewInvite } from '../api/types';

export type InviteState = 'open' | 'spent' | 'expired';

export class Invites {
  list = $state.raw<readonly Invite[] | null>(null);
  private readonly api: Pick<PlacesApi, 'invites' | 'createInvite' | 'revokeInvite'>;

  constructor(
    client: Client,
    private readonly workspaceId: Id,
  ) {
    this.api = places(client);
  }

  async load(): Promise<void> {
    this.list = await this.api.invites(this.workspaceId);
  }

  /** The address to send to the people invited: it can be seen only now. */
  async create(invite: NewInvite): Promise<CreatedInvite> {
    const created = await this.api.createInvite(this.workspaceId, invite);
    if (this.list) this.list = [created, ...this.list];
    return { ...created, url: new URL(created.url, location.origin).href };
  }

  async revoke(id: Id): Promise<void> {
    await this.api.revokeInvite(this.workspaceId, id);
    this.list = this.list?.filter((invite) => invite.id !== id) ?? null;
  }
}

export function stateOf(invite: Invite, now = new Date()): InviteState {
  if (invite.max_uses !== null && invite.uses >= invite.max_uses) return 'spent';
  return new Date(invite.expires_at) <= now ? 'expired' : 'open';
}
