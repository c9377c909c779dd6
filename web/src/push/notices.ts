/** Notifications that are on the screen of the device: those of messages that are read go away. */
export async function withdraw(
  registration: ServiceWorkerRegistration,
  isRead: (chatId: number, seq: number) => boolean,
): Promise<void> {
  for (const shown of await registration.getNotifications()) {
    const data = shown.data as { chatId?: number | null; seq?: number } | null;
    if (typeof data?.chatId === 'number' && isRead(data.chatId, data.seq ?? 0)) shown.close();
  }
}
