/**
 * Files that are to go with the next message, per chat: on their way up, there, or refused.
 *
 * Attachments      add, cancel, retry, take (those that are there, for a message that is sent now); of(chat), isBusy(chat)
 */
import { upload } from '../api/upload';
import type { Credentials } from '../api/client';
import { ApiError } from '../api/http';
import type { FileInfo, Id } from '../api/types';
import { t } from '../i18n/i18n.svelte';
import { sizeOf } from '../i18n/sizes';
import { sentenceOf } from './problems';

export interface Attachment {
  key: number;
  chatId: Id;
  name: string;
  size: number;
  /** How much has gone up, from 0 to 1. */
  done: number;
  /** Once it is there. */
  file: FileInfo | null;
  problem: string | null;
  /** Another try may help. */
  canRetry: boolean;
}

export interface AttachmentOptions {
  credentials: Credentials;
  workspaceOf: (chatId: Id) => Id | undefined;
  limits: () => { file_bytes: number; files_per_message: number } | undefined;
  locale: () => string;
  send?: typeof upload;
}

export class Attachments {
  private items = $state.raw<readonly Attachment[]>([]);
  private readonly running = new Map<number, AbortController>();
  /** Those that are not there yet, to be sent (again). */
  private readonly waiting = new Map<number, File>();
  private lastKey = 0;

  constructor(private readonly options: AttachmentOptions) {}

  of(chatId: Id): readonly Attachment[] {
    return this.items.filter((item) => item.chatId === chatId);
  }

  get size(): number {
    return this.items.length;
  }

  isBusy(chatId: Id): boolean {
    return this.of(chatId).some((item) => item.file === null && item.problem === null);
  }

  add(chatId: Id, files: readonly File[]): void {
    for (const file of files) this.start(chatId, file);
  }

  /** Send one again that did not get there. */
  retry(key: number): void {
    const [item, file] = [this.items.find((one) => one.key === key), this.waiting.get(key)];
    if (!item?.canRetry || !file) return;
    this.change(key, { problem: null, canRetry: false, done: 0 });
    void this.bring(key, item.chatId, file);
  }

  cancel(key: number): void {
    this.running.get(key)?.abort();
    this.waiting.delete(key);
    this.items = this.items.filter((item) => item.key !== key);
  }

  /** What goes with the message that is sent now; those that were refused are let go of, too. */
  take(chatId: Id): FileInfo[] {
    const files = this.of(chatId).flatMap((item) => item.file ?? []);
    for (const item of this.of(chatId)) this.waiting.delete(item.key);
    this.items = this.items.filter((item) => item.chatId !== chatId);
    return files;
  }

  forget(): void {
    for (const one of this.running.values()) one.abort();
    this.waiting.clear();
    this.items = [];
  }

  private start(chatId: Id, file: File): void {
    const key = (this.lastKey += 1);
    const problem = this.refusal(chatId, file);
    const { name, size } = file;
    this.items = [...this.items, { key, chatId, name, size, done: 0, file: null, problem, canRetry: false }];
    if (problem === null) void this.bring(key, chatId, file);
  }

  private async bring(key: number, chatId: Id, file: File): Promise<void> {
    const control = new AbortController();
    this.running.set(key, control);
    this.waiting.set(key, file);
    try {
      this.change(key, { done: 1, file: await this.send(key, chatId, file, control.signal) });
      this.waiting.delete(key);
    } catch (error) {
      const canRetry = !(error instanceof ApiError) || error.status >= 500 || error.status === 429;
      if (!control.signal.aborted) this.change(key, { problem: this.explain(error, file), canRetry });
    } finally {
      this.running.delete(key);
    }
  }

  /** What the server would say, said before anything goes up. */
  private refusal(chatId: Id, file: File): string | null {
    const limits = this.options.limits();
    if (!limits) return null;
    if (file.size > limits.file_bytes) return this.tooLarge();
    const count = this.of(chatId).filter((item) => item.problem === null).length;
    return count < limits.files_per_message ? null : t('files.tooMany', { count: limits.files_per_message });
  }

  private async send(key: number, chatId: Id, file: File, signal: AbortSignal): Promise<FileInfo> {
    const workspaceId = this.options.workspaceOf(chatId) ?? 0;
    const { credentials, send = upload } = this.options;
    const go = (token: string | null): Promise<FileInfo> =>
      send({ file, workspaceId, token, signal, onProgress: (done) => this.change(key, { done }) });
    const token = await credentials.token();
    try {
      return await go(token);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      return await go(await credentials.renew(token));
    }
  }

  private explain(error: unknown, file: File): string {
    if (error instanceof ApiError && error.status === 413) return this.tooLarge();
    if (error instanceof ApiError) return sentenceOf(error);
    return t('files.failed', { name: file.name });
  }

  private tooLarge(): string {
    return t('files.tooLarge', { size: sizeOf(this.options.limits()?.file_bytes ?? 0, this.options.locale()) });
  }

  private change(key: number, to: Partial<Attachment>): void {
    this.items = this.items.map((item) => (item.key === key ? { ...item, ...to } : item));
  }
}
