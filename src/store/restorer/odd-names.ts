import { shownName } from '../../file-name.ts';

/**
 * A name that not every system can hold as it is. case, form: another name of its folder differs only in capital letters, or in how its letters are
 * encoded; Windows and macOS take two of the first kind for one name, macOS also two of the second. long: Linux holds 255 bytes, Windows and
 * macOS 255 characters. windows: Windows allows no such character, or no dot or space at the end. renamed: a zip file has it otherwise.
 */
export type Oddity =
  | { readonly why: 'case' | 'form'; readonly like: string }
  | { readonly why: 'long' | 'windows' }
  | { readonly why: 'renamed'; readonly as: string };

/** Looks at the names of one folder, one after the other: what is odd about each. */
export function openOddNames(): (name: string) => Oddity | undefined {
  const seen = new Map<string, string>();
  return (name) => {
    const written = portableName(shownName(name));
    const folded = composed(capitals(composed(written)));
    const like = seen.get(folded);
    if (like !== undefined) return { why: capitals(like) === capitals(written) ? 'case' : 'form', like };
    seen.set(folded, written);
    if (isLong(written)) return { why: 'long' };
    if (written !== shownName(name)) return { why: 'renamed', as: written };
    return notOnWindows.test(written) ? { why: 'windows' } : undefined;
  };
}

/** What is odd below a folder. */
export interface OddNames {
  readonly count: number;
  /** The first of them, by their paths below the folder. */
  readonly named: readonly (Oddity & { readonly path: string })[];
}

/** Bytes: `NAME_MAX` of Linux. */
const longestName = 255;
/** What Windows allows in no name, beside what `portableName` replaces (Microsoft: Naming Files, Paths, and Namespaces). */
const notOnWindows = /[<>:"|?*]|[. ]$/;
const beyondAscii = /[^\0-\x7f]/;

function isLong(name: string): boolean {
  return name.length * 3 > longestName && Buffer.byteLength(name) > longestName;
}

function composed(name: string): string {
  return beyondAscii.test(name) ? name.normalize('NFC') : name;
}

/** Letter by letter, as file systems do it: ß stays what it is. */
function capitals(name: string): string {
  const all = name.toUpperCase();
  if (all.length === name.length) return all;
  return Array.from(name, (letter) => {
    const capital = letter.toUpperCase();
    return capital.length === letter.length ? capital : letter;
  }).join('');
}

const device = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?=$|[.:])/i;

/** Where Windows keeps whether a file came from elsewhere, and streams of a file by their type. */
const stream = /:(?=zone\.identifier|\$|[^:]*:\$)/gi;

/** The name with underscores in place of what Windows takes for another folder, a drive, a stream of the file or a device, and a terminal for a command. */
export function portableName(name: string): string {
  return name
    .replaceAll(/[\\\0-\x1f\x7f-\x9f]/g, '_')
    .replace(/^([a-z]):/i, '$1_')
    .replaceAll(stream, '_')
    .replace(device, (reserved) => `_${reserved}`)
    .replace(/^[. ]+$/, (all) => '_'.repeat(all.length));
}
