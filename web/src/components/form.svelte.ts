/** A form on its way: busy, and what went wrong, as a sentence and per field. */
import { fieldsOf, sentenceOf } from '../state/problems';

export class Submission {
  busy = $state(false);
  problem = $state<string | null>(null);
  fields = $state.raw<Record<string, string>>({});
  private last = Promise.resolve();

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

  /** Do the work when all that was asked for in turn before it is done: of two quick choices none is lost. */
  async inTurn(work: () => Promise<void>, explain?: (error: unknown) => string): Promise<void> {
    this.last = this.last.then(() => this.run(work, explain));
    await this.last;
  }

  /** For an effect: ask, and take the answer, unless the effect has run again or ended before it came. */
  load<T>(ask: () => Promise<T>, take: (found: T) => void): () => void {
    let isWanted = true;
    void this.inTurn(async () => {
      const found = await ask();
      if (isWanted) take(found);
    });
    return () => {
      isWanted = false;
    };
  }
}
