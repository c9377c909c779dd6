/** What build/emoji.ts makes. */
declare module 'virtual:emoji/*' {
  const rows: readonly (readonly [text: string, names: string, label: string, words: string, group: number])[];
  export default rows;
}
