/**
 * Colours for code, loaded only when a message names a language that is known.
 *
 * highlight        the same text as elements with classes; null for a language that is not known
 */
import { common, createLowlight } from 'lowlight';

type Child = ReturnType<typeof lowlight.highlight>['children'][number];

const lowlight = createLowlight(common);
/** Grammars are made for files that people wrote: a message that was made to stall them shall not be long. */
const LONGEST = 10_000;

export function highlight(text: string, language: string): DocumentFragment | null {
  if (text.length > LONGEST || !lowlight.registered(language)) return null;
  return drawn(lowlight.highlight(language, text).children);
}

function drawn(children: readonly Child[]): DocumentFragment {
  const fragment = document.createDocumentFragment();
  for (const child of children) {
    if (child.type === 'text') fragment.append(child.value);
    else if (child.type === 'element') fragment.append(span(child.properties['className'], child.children));
  }
  return fragment;
}

function span(classes: unknown, children: readonly Child[]): HTMLSpanElement {
  const made = document.createElement('span');
  made.className = Array.isArray(classes) ? classes.join(' ') : '';
  made.append(drawn(children));
  return made;
}
