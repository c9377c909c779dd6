/**
 * What the page, the worker and the server's pushes say to each other, and the few words the worker needs itself.
 *
 * PageMessage      from a page to the worker
 * WorkerMessage    from the worker to a page
 * Push             what a push holds once it is decrypted
 * wordsFor         the worker's words in a language
 */
export interface PageMessage {
  what: 'take-over' | 'claim' | 'forget';
}

export interface WorkerMessage {
  what: 'open';
  path: string;
}

/** `body` is left out for those who want no content; `files` counts what came with a message without words. */
export interface Push {
  kind: 'message' | 'test';
  title: string;
  body?: string;
  files?: number;
  locale?: string;
  chat_id?: number;
  message_id?: number;
  seq?: number;
}

export interface Words {
  read: string;
  files: string;
  news: string;
  test: string;
}

const EN: Words = {
  read: 'Mark as read',
  files: 'Sent a file',
  news: 'New message',
  test: 'Notifications work on this device.',
};
const ZH: Words = { read: '标为已读', files: '发送了文件', news: '新消息', test: '此设备可以收到通知。' };

export const wordsFor = (locale: string): Words => (locale.toLowerCase().startsWith('zh') ? ZH : EN);
