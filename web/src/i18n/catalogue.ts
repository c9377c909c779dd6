/** Which words there are: the English file has them all, and every other language must have the same keys. */
import type en from './locales/en';

/** One text, or one for each plural form that the language has. */
export type Entry = string | Partial<Record<Intl.LDMLPluralRule, string>>;
export type MessageKey = keyof typeof en;
export type Catalogue = Readonly<Record<MessageKey, Entry>>;
