/**
 * Notifications: shown when a push comes, opened by a click, gone when they are read.
 *
 * onPush, onNotificationClick, onSubscriptionChange, forgetNotices
 *
 * Each chat has one notification, its newest message; the same push twice changes nothing. A page that is being looked
 * at with that chat open needs none.
 */
import { post } from './calls';
import { wordsFor, type Push, type WorkerMessage } from './words';

declare const self: ServiceWorkerGlobalScope;

interface Data {
  path: string;
  chatId: number | null;
  messageId: number;
  seq: number;
}

/** `actions` and `renotify` are in every browser that has pushes, and not yet in TypeScript's list. */
type Options = NotificationOptions & { actions?: { action: string; title: string }[]; renotify?: boolean };

export async function onPush(event: PushEvent): Promise<void> {
  const push = readPush(event.data);
  const words = wordsFor(push.locale ?? self.navigator.language);
  const data: Data = {
    path: pathOf(push),
    chatId: push.chat_id ?? null,
    messageId: push.message_id ?? 0,
    seq: push.seq ?? 0,
  };
  const tag = data.chatId === null ? `fechatter-${push.kind}` : `chat-${data.chatId}`;
  const shown = (await self.registration.getNotifications({ tag }))[0];
  const isKnown = data.chatId !== null && shown !== undefined && (shown.data as Data).messageId >= data.messageId;
  if (isKnown || (await isSeen(data))) return;
  const body = push.body ?? (push.kind === 'test' ? words.test : push.files ? words.files : '');
  await self.registration.showNotification(push.title || words.news, {
    ...{ body, tag, data, renotify: true, icon: '/icons/icon-192.png', badge: '/icons/badge-96.png' },
    ...(push.locale ? { lang: push.locale } : {}),
    ...(data.chatId === null ? {} : { actions: [{ action: 'read', title: words.read }] }),
  } as Options);
}

export async function onNotificationClick(event: NotificationEvent): Promise<void> {
  event.notification.close();
  const data = event.notification.data as Data | undefined;
  if (event.action === 'read' && data?.chatId) {
    const said = await post(`/api/chats/${data.chatId}/read`, { seq: data.seq });
    if (said) return;
  }
  await open(data?.path ?? '/');
}

/** The browser has taken another address for its pushes: tell the server, in the name of who is signed in. */
export async function onSubscriptionChange(event: Event): Promise<void> {
  const { oldSubscription } = event as Event & { oldSubscription?: PushSubscription | null };
  const key = oldSubscription?.options.applicationServerKey;
  if (!key) return;
  const fresh = await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  const { endpoint, keys } = fresh.toJSON();
  await post('/api/push/subscriptions', { endpoint, keys });
}

export async function forgetNotices(): Promise<void> {
  for (const shown of await self.registration.getNotifications()) shown.close();
}

function readPush(data: PushMessageData | null): Push {
  try {
    const push: unknown = data?.json();
    if (typeof push === 'object' && push !== null && 'title' in push) return push as Push;
  } catch {
    // No JSON: somebody else's push, or a browser's trial.
  }
  return { kind: 'test', title: '', body: '' };
}

function pathOf({ chat_id, message_id }: Push): string {
  if (chat_id === undefined) return '/';
  return message_id === undefined ? `/chats/${chat_id}` : `/chats/${chat_id}?message=${message_id}`;
}

/** Browsers want a notification for each push, but not while a window of the page has the focus. */
async function isSeen({ chatId }: Data): Promise<boolean> {
  if (chatId === null) return false;
  const windows = await self.clients.matchAll({ type: 'window' });
  return windows.some((one) => one.focused && new URL(one.url).pathname === `/chats/${chatId}`);
}

async function open(path: string): Promise<void> {
  const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const best = windows.find((one) => one.visibilityState === 'visible') ?? windows[0];
  if (!best) return void (await self.clients.openWindow(path));
  best.postMessage({ what: 'open', path } satisfies WorkerMessage);
  await best.focus();
}
