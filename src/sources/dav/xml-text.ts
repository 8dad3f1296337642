/** Characters and references of XML 1.0 (sections 2.2, 2.11 and 4.1), and what to call those that it does not allow. */

const forbidden =
  /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** Besides halves of surrogate pairs. */
const forbiddenAlone = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;

/** The first character of the text that XML does not allow, and where in the text it stands. */
export function findForbidden(text: string): { readonly character: string; readonly at: number } | undefined {
  const found = forbidden.exec(text);
  return found === null ? undefined : { character: found[0], at: found.index };
}

/** Whether there is one; costs less than looking for where. */
export function hasForbidden(text: string): boolean {
  return forbiddenAlone.test(text) || !text.isWellFormed();
}

/** How people read of such a character; a byte that is not UTF-8 is one of file-name.ts. */
export function nameOfCharacter(character: string): string {
  const code = character.charCodeAt(0);
  const hex = code.toString(16).toUpperCase();
  if (code >= 0xdc80 && code <= 0xdcff) return `the byte ${hex.slice(2)}, which is not UTF-8,`;
  return `the character U+${hex.padStart(4, '0')}, which XML does not allow,`;
}

/** How people read of a reference to nothing. */
export function nameOfReference(reference: string): string {
  return `the reference ${reference.slice(0, 40)}, which XML does not know`;
}

/** No reference is longer than 42 characters: what is, is none. */
const reference = /&(?:#(\d{1,8})|#x([0-9A-Fa-f]{1,8})|(amp|lt|gt|quot|apos));|&[\w#.-]{0,40};?/g;
const torn = /(?:&[\w#.-]{0,40}|\r|\]{1,2}|[\ud800-\udbff])$/;
const longestTorn = 41;
const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** How much of a text can be taken while more of it may come: no reference, line end, surrogate pair or ']]>' is torn. */
export function settledLength(text: string): number {
  const from = Math.max(0, text.length - longestTorn);
  const found = torn.exec(text.slice(from));
  return found === null ? text.length : from + found.index;
}

/** The text with its references resolved. Those to nothing stay as they are, and `onWrong` is called for each, with its place. */
export function resolveReferences(text: string, onWrong: (reference: string, offset: number) => void): string {
  return text.replace(reference, (whole, decimal?: string, hex?: string, entity?: string, at = 0) => {
    const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
    const character = code <= 0x10ffff ? String.fromCodePoint(code) : entities[entity ?? ''];
    if (character !== undefined && !forbidden.test(character) && character.isWellFormed()) return character;
    onWrong(whole, at);
    return whole;
  });
}

/** The text with its line ends as XML reads them. */
export function oneLineEnd(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}
