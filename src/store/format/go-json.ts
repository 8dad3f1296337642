/**
 * JSON as Go's encoding/json writes it: no spaces, HTML characters and line separators escaped, lone surrogates replaced.
 * Equal trees get equal ids only if every writer encodes them identically.
 */

/** The value as Go would write it; fields that are undefined are left out, the order is the order of the object. */
export function goJson(value: unknown): string {
  const json = JSON.stringify(value);
  if (!loneSurrogate.test(json)) return escapeForGo(json);
  return escapeForGo(JSON.stringify(value, (_, item) => (typeof item === 'string' ? item.toWellFormed() : item)));
}

/** A hint that there may be one: JSON.stringify escapes them so. Examining every string would take ten times as long. */
const loneSurrogate = /\\ud[89a-f]/;

/** The string as a JSON string literal. */
export function goJsonString(text: string): string {
  return escapeForGo(JSON.stringify(text.toWellFormed()));
}

const special = /[<>&\u2028\u2029]/g;

function escapeForGo(json: string): string {
  return json.replace(special, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
