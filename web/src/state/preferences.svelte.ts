/** What a person chose on this device: language and theme. Kept in local storage; nothing there is secret. */
import { chooseLocale, i18n } from '../i18n/i18n.svelte';
import { keep, recall } from './device';

export type Theme = 'system' | 'light' | 'dark';

const THEME = 'theme';
const LOCALE = 'locale';

export class Preferences {
  theme = $state<Theme>(readTheme());

  /** Show the language chosen here before, else the browser's. Resolves when its words are there. */
  async load(): Promise<void> {
    this.applyTheme();
    await i18n.use(chooseLocale([recall(LOCALE), ...navigator.languages]));
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    keep(THEME, theme);
    this.applyTheme();
  }

  async setLocale(locale: string): Promise<void> {
    keep(LOCALE, locale);
    await i18n.use(locale);
  }

  private applyTheme(): void {
    if (this.theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = this.theme;
  }
}

function readTheme(): Theme {
  const theme = recall(THEME);
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}
