/** The arrow keys go from message to message; Tab then goes into the links and actions of the one that has the focus. */

const MESSAGE = '[role="article"]';

/** The message to go to for this key, if it is one that goes to messages: the next to the one that has the focus. */
export function messageFor(event: KeyboardEvent, log: HTMLElement): HTMLElement | null {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (step === 0 || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return null;
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest('audio, video, input, pre, .table')) return null;
  const all = [...log.querySelectorAll<HTMLElement>(MESSAGE)];
  const at = all.findIndex((one) => one.contains(target));
  if (at >= 0) return all[at + step] ?? null;
  return all.findLast((one) => isWithin(one, log)) ?? all.at(-1) ?? null;
}

/** A key that asks for what can be done with the message that has the focus itself. */
export function asksForMenu(event: KeyboardEvent): boolean {
  const isOnMessage = event.target instanceof Element && event.target.matches(MESSAGE);
  return (
    isOnMessage && (event.key === 'Enter' || event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey))
  );
}

function isWithin(element: HTMLElement, box: HTMLElement): boolean {
  const [inner, outer] = [element.getBoundingClientRect(), box.getBoundingClientRect()];
  return inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;
}
