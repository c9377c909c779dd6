/** What went wrong, in one sentence that a person can act on: in their language where the code is known. */
import { ApiError } from '../api/http';
import type { MessageKey } from '../i18n/catalogue';
import { t } from '../i18n/i18n.svelte';

const SENTENCES: Readonly<Record<string, MessageKey>> = {
  email_taken: 'error.email_taken',
  chat_name_taken: 'error.chat_name_taken',
  suspended: 'error.suspended',
  forbidden: 'error.forbidden',
  not_found: 'error.not_found',
  invite_gone: 'invite.gone',
  internal: 'error.internal',
  unavailable: 'error.internal',
};

export function sentenceOf(error: unknown): string {
  if (!(error instanceof ApiError)) return t('error.network');
  if (error.status === 429) return t('error.rate', { count: Math.ceil((error.retryAfterMs ?? 1000) / 1000) });
  const key = SENTENCES[error.code];
  if (key) return t(key);
  return error.detail || t('error.internal');
}

/** What the server said of each field of a form. */
export function fieldsOf(error: unknown): Record<string, string> {
  if (!(error instanceof ApiError)) return {};
  return Object.fromEntries(error.fields.map(({ field, message }) => [field, message]));
}
