/** How much room there is. The style sheets ask the same question at the same width. */
import { MediaQuery } from 'svelte/reactivity';

export class Layout {
  private readonly narrow = new MediaQuery('width < 48rem');

  /** One thing at a time is shown. */
  get isPhone(): boolean {
    return this.narrow.current;
  }
}
