/** Where in a document something stands, as a text editor counts. */
export interface XmlPlace {
  /** The document is read up to the character at `to` of this text; the next text begins there. */
  pass(text: string, to: number): void;
  /** Where the character at `at` of this text stands, in words. */
  of(text: string, at: number): string;
}

/** Counts lines and characters of a document that comes in texts. Looks at each character once, as places are asked for in order. */
export function openPlace(): XmlPlace {
  let line = 1;
  let column = 1;
  let counted = 0;
  const count = (text: string, to: number) => {
    if (to <= counted) return;
    const part = text.slice(counted, to);
    let from = 0;
    for (let end = part.indexOf('\n'); end >= 0; end = part.indexOf('\n', from)) {
      line++;
      column = 1;
      from = end + 1;
    }
    column += part.length - from;
    counted = to;
  };
  return {
    pass(text, to) {
      count(text, to);
      counted = 0;
    },
    of(text, at) {
      count(text, at);
      return ` at line ${line}, column ${column}`;
    },
  };
}
