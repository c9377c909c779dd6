/**
 * The service worker: the page's files without a network, and the notifications that come while no page is open.
 *
 * install, activate    take in this version's files; clean up after the versions before it
 * fetch                the page and its files from the device, pictures too when the network is away; nothing else
 * message              from a page: take over now, answer for it too, or forget the person who has left
 * push, notification…  see notices.ts
 */
import { forgetNotices, onNotificationClick, onPush, onSubscriptionChange } from './notices';
import { forgetPictures, isPicture, pictureFor } from './pictures';
import { cleanUp, fileFor, install, isPage, isShellFile, pageFor } from './shell';
import type { PageMessage } from './words';

declare const self: ServiceWorkerGlobalScope;

self.addEventListener('install', (event) => event.waitUntil(install()));

self.addEventListener('activate', (event) => event.waitUntil(cleanUp().then(() => self.clients.claim())));

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (request.mode === 'navigate') {
    if (isPage(url)) event.respondWith(pageFor(event));
  } else if (isShellFile(url)) event.respondWith(fileFor(event));
  else if (isPicture(request, url)) event.respondWith(pictureFor(event));
});

self.addEventListener('message', (event) => {
  const message = event.data as PageMessage;
  if (message.what === 'take-over') event.waitUntil(self.skipWaiting());
  else if (message.what === 'claim') event.waitUntil(self.clients.claim());
  else if (message.what === 'forget') event.waitUntil(Promise.all([forgetPictures(), forgetNotices()]));
});

self.addEventListener('push', (event) => event.waitUntil(onPush(event)));
self.addEventListener('notificationclick', (event) => event.waitUntil(onNotificationClick(event)));
self.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(onSubscriptionChange(event)));
