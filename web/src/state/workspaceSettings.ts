/**
 * What becomes of a workspace as a whole.
 *
 * WorkspaceSettings    create, update, leave, delete
 */
import { places, type PlacesApi } from '../api/places';
import type { Id, NewWorkspace, Workspace, WorkspaceChange } from '../api/types';
import type { App } from './app.svelte';

export class WorkspaceSettings {
  private readonly api: PlacesApi;

  constructor(private readonly app: App) {
    this.api = places(app.client);
  }

  async create(workspace: NewWorkspace): Promise<Workspace> {
    const created = await this.api.createWorkspace(workspace);
    this.put(created);
    this.app.workspaces.choose(created.id);
    return created;
  }

  async update(id: Id, change: WorkspaceChange): Promise<void> {
    this.put(await this.api.updateWorkspace(id, change));
  }

  async leave(id: Id): Promise<void> {
    await this.api.removeWorkspaceMember(id, this.app.replica.me);
    this.forget(id);
  }

  async delete(id: Id): Promise<void> {
    await this.api.deleteWorkspace(id);
    this.forget(id);
  }

  private put(workspace: Workspace): void {
    this.app.replica.change((model) => ({
      ...model,
      workspaces: new Map(model.workspaces).set(workspace.id, workspace),
    }));
  }

  private forget(id: Id): void {
    this.app.replica.change((model) => ({
      ...model,
      workspaces: new Map([...model.workspaces].filter(([one]) => one !== id)),
      chats: new Map([...model.chats].filter(([, chat]) => chat.workspace_id !== id)),
    }));
  }
}
