/** A form on its way: busy, and what went wrong, as a sentence and per field. */
import { fieldsOf, sentenceOf } from '../state/problems';

export class Submission {
  busy = $state(false);
  problem = $state<string | null>(null);
  fields = $state.raw<Record<string, string>>({});

  /** Do the work once; `explain` may put an error into better words. */
  async run(work: () => Promise<void>, explain: (error: unknown) => string = sentenceOf): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.problem = null;
    this.fields = {};
    try {
      await work();
    } catch (error) {
      this.problem = explain(error);
      this.fields = fieldsOf(error);
    } finally {
      this.busy = false;
    }
  }
}
