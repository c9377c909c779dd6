/** The workspaces one is in, and which of them is on the screen. */
import type { Api } from '../api/routes';
import type { Id, Workspace } from '../api/types';
import type { Replica } from './replica.svelte';
import type { Session } from './session.svelte';

export class Workspaces {
  private chosen = $state<Id | null>(null);
  readonly list = $derived.by(() => [...this.replica.workspaces.values()].sort((a, b) => a.name.localeCompare(b.name)));
  /** The one chosen here, else the one last used, else the first. */
  readonly current = $derived.by(() => this.find(this.chosen) ?? this.find(this.session.workspaceId) ?? this.list[0]);

  constructor(
    private readonly api: Api,
    private readonly replica: Replica,
    private readonly session: Session,
  ) {}

  choose(id: Id): void {
    this.chosen = id;
  }

  /** The address to send to the people invited. */
  async invite(id: Id): Promise<string> {
    const invite = await this.api.invite(id);
    return new URL(invite.url, location.origin).href;
  }

  async accept(code: string): Promise<Workspace> {
    const workspace = await this.api.acceptInvite(code);
    this.replica.change((model) => ({
      ...model,
      workspaces: new Map(model.workspaces).set(workspace.id, workspace),
    }));
    this.choose(workspace.id);
    return workspace;
  }

  private find(id: Id | null): Workspace | undefined {
    return id === null ? undefined : this.replica.workspaces.get(id);
  }
}
