/**
 * Oneself, as the settings change it.
 *
 * Profile          save (name, username, locale, timezone), setPicture, changePassword
 */
import { places, type PlacesApi } from '../api/places';
import type { Id, ProfileChange, User } from '../api/types';
import { upload } from '../api/upload';
import type { App } from './app.svelte';

export class Profile {
  private readonly api: PlacesApi;

  constructor(private readonly app: App) {
    this.api = places(app.client);
  }

  async save(change: ProfileChange): Promise<void> {
    this.keep(await this.api.updateProfile(change));
  }

  /** `null` takes the picture away. */
  async setPicture(file: File | null, workspaceId: Id): Promise<void> {
    const stored = file === null ? null : await this.store(file, workspaceId);
    this.keep(await this.api.updateProfile({ avatar_file_id: stored }));
  }

  /** Every other device is signed out by it. */
  async changePassword(current: string, next: string): Promise<void> {
    await this.api.changePassword(current, next);
  }

  private async store(file: File, workspaceId: Id): Promise<Id> {
    const token = await this.app.session.token();
    const signal = new AbortController().signal;
    return (await upload({ file, workspaceId, token, signal, onProgress: () => undefined })).id;
  }

  private keep(user: User): void {
    this.app.session.update(user);
    this.app.people.put([user]);
  }
}
