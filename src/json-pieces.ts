/** Long JSON in pieces: what else waits for the thread is done between them, where whoever takes them lets it. */

/** Fewer bytes are parsed at once, in a few milliseconds. */
export const parsedAtOnce = 128 * 1024;

const byte = {
  quote: 0x22,
  backslash: 0x5c,
  comma: 0x2c,
  colon: 0x3a,
  open: 0x7b,
  close: 0x7d,
  openList: 0x5b,
  closeList: 0x5d,
};

/**
 * The items of a JSON list that stand between these places, as texts of lists of some of them, in order. Ends with `none` where the list ends before, or an item is longer
 * than `mostBytes`. What is between the commas is not looked at: whoever parses the texts finds out.
 */
export function* piecesOfList(
  bytes: Buffer,
  from: number,
  end: number,
  mostBytes = Number.POSITIVE_INFINITY,
): Generator<string, void> {
  let begin = from;
  for (const to of endsOfItems(bytes, from, end, mostBytes)) {
    if (to === 'none') return yield to;
    if (to - begin < parsedAtOnce && to < end) continue;
    // After a comma there is an item.
    yield begin === end && begin > from ? '[,]' : `[${bytes.toString('utf8', begin, to)}]`;
    begin = to + 1;
  }
}

/** Where items end between these places: at the commas between them, and at the end; `none` where the list of them ends before, or one is too long. */
function* endsOfItems(bytes: Buffer, from: number, end: number, mostBytes: number): Generator<number | 'none', void> {
  let depth = 0;
  let begin = from;
  for (let at = from; at < end; at++) {
    const one = bytes[at];
    if (one === byte.quote) at = endOfText(bytes, at);
    else if (one === byte.open || one === byte.openList) depth++;
    else if (one === byte.close || one === byte.closeList) depth--;
    else if (one === byte.comma && depth === 0) {
      yield at;
      begin = at;
    }
    if (depth < 0 || at - begin > mostBytes) return yield 'none';
  }
  return yield end;
}

/** Where the text ends that begins with this quotation mark. */
function endOfText(bytes: Buffer, start: number): number {
  for (let end = bytes.indexOf(byte.quote, start + 1); end >= 0; end = bytes.indexOf(byte.quote, end + 1)) {
    let before = end - 1;
    while (bytes[before] === byte.backslash) before--;
    if ((end - before) % 2 === 1) return end;
  }
  return bytes.length;
}

/** How many members the objects of a JSON text have together, and how many items and lists there are; beyond `most` of either nothing is counted. */
export function countJson(
  bytes: Buffer,
  most: { readonly members: number; readonly items: number },
): { members: number; items: number } {
  let [members, items] = [0, 0];
  for (let at = 0; at < bytes.length && members <= most.members && items <= most.items; at++) {
    const one = bytes[at];
    if (one === byte.quote) at = endOfText(bytes, at);
    else if (one === byte.colon) members++;
    else if (one === byte.comma || one === byte.open || one === byte.openList) items++;
  }
  return { members, items };
}
