/** Puts a panel of the top layer beside what it belongs to: under it, else over it, always inside of the window. */
const GAP = 4;
const MARGIN = 8;

export function placeBeside(panel: HTMLElement, anchor: DOMRect): void {
  const { offsetWidth: width, offsetHeight: height } = panel;
  const below = anchor.bottom + GAP;
  const top = below + height <= innerHeight - MARGIN ? below : anchor.top - GAP - height;
  panel.style.left = `${within(anchor.left, innerWidth - width)}px`;
  panel.style.top = `${within(top, innerHeight - height)}px`;
}

const within = (wanted: number, most: number): number => Math.max(MARGIN, Math.min(wanted, most - MARGIN));
