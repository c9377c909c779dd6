/**
 * What a person chose on this device: language and looks. Kept in local storage; nothing there is secret.
 *
 * Preferences      load; theme, contrast, density, textSize, each set by name; setLocale
 * CHOICES          what there is to choose, the usual first
 *
 * The style sheets read the choices from data attributes of the root element. Contrast "more" is also set when the
 * system asks for it, so that its colours are written once.
 */
import { chooseLocale, i18n } from '../i18n/i18n.svelte';
import { keep, recall } from './device';

export const CHOICES = {
  theme: ['system', 'light', 'dark'],
  contrast: ['system', 'more'],
  density: ['roomy', 'compact'],
  textSize: ['normal', 'small', 'large', 'huge'],
} as const;

export type Look = keyof typeof CHOICES;
export type Choice<L extends Look> = (typeof CHOICES)[L][number];
export type Theme = Choice<'theme'>;

const LOCALE = 'locale';

export class Preferences {
  theme = $state<Theme>(remembered('theme'));
  contrast = $state<Choice<'contrast'>>(remembered('contrast'));
  density = $state<Choice<'density'>>(remembered('density'));
  textSize = $state<Choice<'textSize'>>(remembered('textSize'));
  private readonly systemContrast = matchMedia('(prefers-contrast: more)');

  constructor() {
    this.systemContrast.addEventListener('change', () => this.apply());
  }

  /** Show the language chosen here before, else the browser's. Resolves when its words are there. */
  async load(): Promise<void> {
    this.apply();
    await i18n.use(chooseLocale([recall(LOCALE), ...navigator.languages]));
  }

  set<L extends Look>(look: L, choice: Choice<L>): void {
    Object.assign(this, { [look]: choice });
    keep(look, choice);
    this.apply();
  }

  async setLocale(locale: string): Promise<void> {
    keep(LOCALE, locale);
    await i18n.use(locale);
  }

  private apply(): void {
    const { dataset } = document.documentElement;
    if (this.theme === 'system') delete dataset['theme'];
    else dataset['theme'] = this.theme;
    if (this.contrast === 'more' || this.systemContrast.matches) dataset['contrast'] = 'more';
    else delete dataset['contrast'];
    dataset['density'] = this.density;
    dataset['textSize'] = this.textSize;
  }
}

function remembered<L extends Look>(look: L): Choice<L> {
  const kept = recall(look);
  const choices: readonly Choice<L>[] = CHOICES[look];
  const choice = choices.find((one) => one === kept) ?? choices[0];
  if (choice === undefined) throw new Error(`There is nothing to choose for ${look}.`);
  return choice;
}
