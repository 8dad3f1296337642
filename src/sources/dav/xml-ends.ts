/**
 * Where markup ends that arrives in parts. Each character is looked at once, however finely it is cut: what is read anew with each
 * part costs a server nothing to send and this process hours.
 */

const quotes = /["'>]/g;

/** Finds the end of one start tag in its parts: the first '>' outside of quotes, or -1 where a part has none. */
export function openTagEnd(): (part: string, from?: number) => number {
  let quote = '';
  return (part, from = 0) => {
    let at = from;
    for (;;) {
      if (quote !== '') {
        const closing = part.indexOf(quote, at);
        if (closing < 0) return -1;
        quote = '';
        at = closing + 1;
      }
      quotes.lastIndex = at;
      const found = quotes.exec(part);
      if (found === null || found[0] === '>') return found?.index ?? -1;
      quote = found[0];
      at = found.index + 1;
    }
  };
}

/** What opens markup, and what ends it; a comment by the character after its two hyphens, whichever it is. */
const pairs: readonly (readonly [opening: string, end: RegExp])[] = [
  ['<!--', /--./s],
  ['<![CDATA[', /\]\]>/],
  ['<?', /\?>/],
  ['</', />/],
];
const longestEnd = 3;

/**
 * For markup that has not arrived whole: returns a function that says of each further part whether the markup ends in it. Undefined where that
 * cannot be decided yet, and the beginning is so short that reading it anew costs nothing.
 */
export function openMarkupEnd(beginning: string): ((part: string) => boolean) | undefined {
  const pair = pairs.find(([opening]) => beginning.startsWith(opening));
  if (pair !== undefined) {
    const [opening, end] = pair;
    let last = beginning.slice(opening.length).slice(1 - longestEnd);
    return (part) => {
      const seen = last + part;
      last = seen.slice(1 - longestEnd);
      return end.test(seen);
    };
  }
  if (!/^<[^!]/.test(beginning)) return undefined;
  const tagEnd = openTagEnd();
  tagEnd(beginning, 1);
  return (part) => tagEnd(part) >= 0;
}
