/** What of a file can be shown, judged by its first bytes alone: neither its name nor what anybody says of it counts. */
export interface PreviewKind {
  readonly kind: 'picture' | 'pdf' | 'text';
  /** The one content type that it is sent as. */
  readonly type: string;
  /** Bytes that are sent: of text the beginning, of anything else all. */
  readonly bytes: number;
  /** About how many rows a short text takes on a page; undefined for anything longer. */
  readonly rows?: number | undefined;
}

/** Bytes of a file that are enough to judge it. */
export const judgedBytes = 4096;

const mebibyte = 1024 * 1024;
const mostBytes = { picture: 32 * mebibyte, pdf: 64 * mebibyte, text: mebibyte / 4 };

const signatures: readonly { kind: 'picture' | 'pdf'; type: string; sign: RegExp }[] = [
  { kind: 'picture', type: 'image/png', sign: /^\x89PNG\r\n\x1a\n/ },
  { kind: 'picture', type: 'image/jpeg', sign: /^\xff\xd8\xff/ },
  { kind: 'picture', type: 'image/gif', sign: /^GIF8[79]a/ },
  { kind: 'picture', type: 'image/webp', sign: /^RIFF[\s\S]{4}WEBP/ },
  { kind: 'pdf', type: 'application/pdf', sign: /^%PDF-\d/ },
];

/** What controls a terminal or ends a text is in no text: only tab, line feed, form feed and carriage return are. */
const noText = /[\0-\x08\x0b\x0e-\x1f\x7f]/;

/**
 * What a file that begins with `head` is shown as: pictures, PDF, and text as it is written, markup included. Undefined for everything else, for
 * what is too large, and for an empty file.
 */
export function previewKind(head: Uint8Array, size: number): PreviewKind | undefined {
  const found = signatures.find(({ sign }) => sign.test(Buffer.from(head.subarray(0, 16)).toString('latin1')));
  if (found !== undefined) return size > mostBytes[found.kind] ? undefined : { ...found, bytes: size };
  if (size === 0 || !isText(head, { isCut: head.length < size })) return undefined;
  const rows = head.length < size ? undefined : rowsOf(head);
  return { kind: 'text', type: 'text/plain; charset=utf-8', bytes: Math.min(size, mostBytes.text), rows };
}

/** Characters that fit into a row of a narrow page. */
const rowLength = 45;

function rowsOf(text: Uint8Array): number {
  const lines = Buffer.from(text).toString().split('\n');
  return lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(line.length / rowLength)), 0);
}

/** Whether this is UTF-8, or the beginning of it: then a character may be cut at the end. */
function isText(head: Uint8Array, { isCut }: { isCut: boolean }): boolean {
  try {
    return !noText.test(new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: isCut }));
  } catch {
    return false;
  }
}
