/**
 * A PDF in a tab of its own. The server sends files into a sandbox, in which browsers show no PDF; so the bytes are
 * fetched and shown as a PDF and nothing else, whatever they are: a viewer runs none of it as a page.
 *
 * openPdf          true when the tab is open; false when the browser forbids it or the file did not come
 */
import type { FileInfo } from '../api/types';

const KEPT_MS = 60_000;

export async function openPdf({ url }: Pick<FileInfo, 'url'>): Promise<boolean> {
  const tab = open('about:blank', '_blank');
  if (tab === null) return false;
  try {
    tab.opener = null;
    const response = await fetch(url);
    if (!response.ok) throw new Error(`The file could not be had: ${response.status}`);
    const address = URL.createObjectURL(new Blob([await response.arrayBuffer()], { type: 'application/pdf' }));
    tab.location.replace(address);
    setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
    return true;
  } catch {
    tab.close();
    return false;
  }
}
