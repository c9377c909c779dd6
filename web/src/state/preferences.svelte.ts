/** What a person chose on this device: language and theme. Kept in local storage; nothing there is secret. */
import { chooseLocale, i18n } from '../i18n/i18n.svelte';

export type Theme = 'system' | 'light' | 'dark';

const THEME = 'fechatter.theme';
const LOCALE = 'fechatter.locale';

export class Preferences {
  theme = $state<Theme>(readTheme());

  /** Show the language chosen here before, else the browser's. Resolves when its words are there. */
  async load(): Promise<void> {
    this.applyTheme();
    await i18n.use(chooseLocale([read(LOCALE), ...navigator.languages]));
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    write(THEME, theme);
    this.applyTheme();
  }

  async setLocale(locale: string): Promise<void> {
    write(LOCALE, locale);
    await i18n.use(locale);
  }

  private applyTheme(): void {
    if (this.theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = this.theme;
  }
}

function readTheme(): Theme {
  const theme = read(THEME);
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

/** A browser may forbid storage: then a choice lasts as long as the page. */
function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    console.info('This browser keeps no preferences.');
  }
}
