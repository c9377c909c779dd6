/**
 * The members of a workspace, with their roles, kept up by events while somebody looks.
 *
 * Colleagues       load, follow; list, setRole, suspend, restore, remove
 * mayManage        whether somebody of one role may change somebody of another
 */
import type { Client } from '../api/client';
import { places, type PlacesApi } from '../api/places';
import type { Id, MemberChange, WorkspaceMember, WorkspaceRole } from '../api/types';
import type { ServerEvent } from '../realtime/events';
import { fresh } from './fresh';
import type { Replica } from './replica.svelte';

const RANKS: Readonly<Record<WorkspaceRole, number>> = { guest: 0, member: 1, admin: 2, owner: 3 };

export class Colleagues {
  list = $state.raw<readonly WorkspaceMember[] | null>(null);
  private readonly api: Pick<PlacesApi, 'workspaceMembers' | 'changeWorkspaceMember' | 'removeWorkspaceMember'>;

  constructor(
    client: Client,
    private readonly replica: Pick<Replica, 'onEvent'>,
    private readonly workspaceId: Id,
  ) {
    this.api = places(client);
  }

  async load(): Promise<void> {
    const bears = ({ type }: ServerEvent): boolean => type.startsWith('workspace.member_');
    this.list = await fresh(this.replica, bears, () => this.api.workspaceMembers(this.workspaceId));
  }

  /** Hear of changes, until the answer is called. */
  follow(): () => void {
    return this.replica.onEvent((event) => this.hear(event));
  }

  async change(userId: Id, change: MemberChange): Promise<void> {
    this.put(await this.api.changeWorkspaceMember(this.workspaceId, userId, change));
  }

  async remove(userId: Id): Promise<void> {
    await this.api.removeWorkspaceMember(this.workspaceId, userId);
    this.drop(userId);
  }

  private hear(event: ServerEvent): void {
    switch (event.type) {
      case 'workspace.member_added':
      case 'workspace.member_updated':
        if (event.payload.workspace_id === this.workspaceId) this.put(event.payload);
        break;
      case 'workspace.member_removed':
        if (event.payload.workspace_id === this.workspaceId) this.drop(event.payload.user_id);
        break;
      default:
    }
  }

  private put(member: WorkspaceMember): void {
    if (!this.list) return;
    const isKnown = this.list.some((one) => one.user_id === member.user_id);
    this.list = isKnown
      ? this.list.map((one) => (one.user_id === member.user_id ? member : one))
      : [...this.list, member];
  }

  private drop(userId: Id): void {
    this.list = this.list?.filter((member) => member.user_id !== userId) ?? null;
  }
}

export const mayManage = (mine: WorkspaceRole, theirs: WorkspaceRole): boolean =>
  RANKS[mine] >= RANKS.admin && RANKS[mine] >= RANKS[theirs];

/** The roles one may give: none above one's own. */
export const rolesBelow = (mine: WorkspaceRole): WorkspaceRole[] =>
  (['owner', 'admin', 'member', 'guest'] as const).filter((role) => RANKS[role] <= RANKS[mine]);
