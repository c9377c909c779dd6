/** A finger that rests on an element for a while, without moving, does `act`. Mouse and pen are left alone. */
import type { Attachment } from 'svelte/attachments';

const REST_MS = 450;
const SHAKE_PX = 10;

export function longPress(act: () => void): Attachment<HTMLElement> {
  return (element) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let start = { x: 0, y: 0 };

    const down = (event: PointerEvent): void => {
      if (event.pointerType !== 'touch') return;
      start = { x: event.clientX, y: event.clientY };
      timer = setTimeout(act, REST_MS);
    };
    const move = (event: PointerEvent): void => {
      if (Math.hypot(event.clientX - start.x, event.clientY - start.y) > SHAKE_PX) clearTimeout(timer);
    };
    const up = (): void => clearTimeout(timer);
    const ending = new AbortController();
    const options = { signal: ending.signal, passive: true };
    element.addEventListener('pointerdown', down, options);
    element.addEventListener('pointermove', move, options);
    for (const name of ['pointerup', 'pointercancel', 'pointerleave'] as const)
      element.addEventListener(name, up, options);
    return () => {
      up();
      ending.abort();
    };
  };
}
