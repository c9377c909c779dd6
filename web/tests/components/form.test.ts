import { expect, test } from 'vitest';
import { Submission } from '../../src/components/form.svelte';

/** Work that ends when told to, and a note of each that began. */
function works(): { begun: string[]; work: (name: string) => () => Promise<void>; end: (error?: Error) => void } {
  const begun: string[] = [];
  let settle: (error?: Error) => void = () => undefined;
  const work = (name: string) => () => {
    begun.push(name);
    return new Promise<void>((resolve, reject) => (settle = (error) => (error ? reject(error) : resolve())));
  };
  return { begun, work, end: (error) => settle(error) };
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

test('a form that is on its way is not sent a second time', async () => {
  const [form, { begun, work, end }] = [new Submission(), works()];
  const first = form.run(work('first'));
  await form.run(work('second'));
  end();
  await first;
  expect(begun).toEqual(['first']);
  expect(form.busy).toBe(false);
});

test('an answer that is not wanted any more is not taken, and the next question is asked after it', async () => {
  const form = new Submission();
  const answers = new Map<string, (found: string) => void>();
  const taken: string[] = [];
  const ask = (name: string) => () => new Promise<string>((resolve) => answers.set(name, resolve));
  const leave = form.load(ask('one'), (found) => taken.push(found));
  await turn();
  leave();
  form.load(ask('two'), (found) => taken.push(found));
  answers.get('one')?.('of one');
  await turn();
  answers.get('two')?.('of two');
  await turn();
  expect(taken).toEqual(['of two']);
});

test('choices made while one is on its way follow it, each in its turn, also after a failure', async () => {
  const [form, { begun, work, end }] = [new Submission(), works()];
  for (const name of ['one', 'two', 'three']) void form.inTurn(work(name));
  await turn();
  expect(begun).toEqual(['one']);
  end(new Error('no'));
  await turn();
  expect(begun).toEqual(['one', 'two']);
  expect(form.problem).toBeNull();
  end();
  await turn();
  expect(begun).toEqual(['one', 'two', 'three']);
  expect(form.busy).toBe(true);
  end();
  await turn();
  expect(form.busy).toBe(false);
});
