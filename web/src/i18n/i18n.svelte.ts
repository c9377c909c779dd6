/**
 * Words in the reader's language. A language is one file in locales/, named by its code; nothing else knows of it.
 *
 * i18n             use(locale); t(key, values) gives the words, with plurals by Intl
 * chooseLocale     the best of the languages we have for the ones wanted
 * locales          the codes we have; localeName: how a language calls itself
 */
import type { Catalogue, MessageKey } from './catalogue';

type Values = Record<string, string | number>;

const files = import.meta.glob<{ default: Catalogue }>('./locales/*.ts');
const loaders = new Map(Object.entries(files).map(([path, load]) => [path.slice('./locales/'.length, -3), load]));

export const locales: readonly string[] = [...loaders.keys()];
const FALLBACK = 'en';

class I18n {
  locale = $state(FALLBACK);
  private words = $state.raw<Catalogue | null>(null);
  private readonly plurals = $derived(new Intl.PluralRules(this.locale));
  private readonly numbers = $derived(new Intl.NumberFormat(this.locale));

  async use(locale: string): Promise<void> {
    const load = loaders.get(locale) ?? loaders.get(FALLBACK);
    if (!load) throw new Error('No language is there.');
    this.words = (await load()).default;
    this.locale = locale;
    document.documentElement.lang = locale;
  }

  /** The words for a key; `{name}` is replaced by its value, `count` chooses the plural. */
  t = (key: MessageKey, values: Values = {}): string => {
    const entry = this.words?.[key] ?? key;
    return fill(typeof entry === 'string' ? entry : this.pluralOf(entry, values['count']), values, this.numbers);
  };

  private pluralOf(forms: Partial<Record<Intl.LDMLPluralRule, string>>, count: string | number | undefined): string {
    return forms[this.plurals.select(Number(count ?? 0))] ?? forms.other ?? '';
  }
}

export const i18n = new I18n();
export const t = i18n.t;

export function chooseLocale(wanted: readonly (string | null)[], have: readonly string[] = locales): string {
  for (const tag of wanted) {
    const language = tag?.toLowerCase().split('-')[0];
    const found =
      have.find((code) => code.toLowerCase() === tag?.toLowerCase()) ?? have.find((code) => code === language);
    if (found) return found;
  }
  return FALLBACK;
}

export function localeName(locale: string): string {
  return new Intl.DisplayNames([locale], { type: 'language' }).of(locale) ?? locale;
}

function fill(text: string, values: Values, numbers: Intl.NumberFormat): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    return typeof value === 'number' ? numbers.format(value) : (value ?? '');
  });
}
