/** One or two letters that stand for a name: first and last word; of a Chinese name the last character. */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const [first, last] = [words[0] ?? '', words.at(-1) ?? ''];
  if (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u.test(last)) return lastOf(last);
  const letters = words.length > 1 ? firstOf(first) + firstOf(last) : firstOf(first);
  return letters.toLocaleUpperCase() || '·';
}

const firstOf = (word: string): string => [...word].find((char) => /[\p{L}\p{N}]/u.test(char)) ?? '';
const lastOf = (word: string): string => [...word].at(-1) ?? '';
