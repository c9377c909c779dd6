/** How keys are called on the machine at hand. */
const isApple = /Mac|iPhone|iPad/.test(navigator.userAgent);

export const PALETTE_KEYS = isApple ? '⌘K' : 'Ctrl K';
