import type { FileRange } from '../store/restorer/read-file.ts';

/** What tells a client whether it has an answer already. */
export interface Validators {
  /** A strong entity tag, in its quotes. */
  readonly etag: string;
  /** Absent where it is not known, or not past. */
  readonly modified?: Date | undefined;
}

/** The headers that say so. */
export function validatorHeaders({ etag, modified }: Validators): Record<string, string> {
  return { etag, ...(modified !== undefined && { 'last-modified': modified.toUTCString() }) };
}

/** What the conditions of a request (RFC 9110, section 13) come to: the status to answer instead, or undefined for the answer itself. */
export function conditionOf(headers: Headers, validators: Validators): 304 | 412 | undefined {
  const [match, noneMatch] = [headers.get('if-match'), headers.get('if-none-match')];
  if (match === null ? isModified(headers, 'if-unmodified-since', validators) : !names(match, validators.etag))
    return 412;
  if (noneMatch !== null) return names(weak(noneMatch), validators.etag) ? 304 : undefined;
  return isModified(headers, 'if-modified-since', validators) === false ? 304 : undefined;
}

/** The range of bytes that is asked for; undefined where there is none to obey: several, a malformed one, or one of another version. */
export function rangeOf(
  headers: Headers,
  size: number,
  validators: Validators,
): Required<FileRange> | 'unsatisfiable' | undefined {
  const found = /^bytes=(\d*)-(\d*)$/.exec(headers.get('range')?.trim() ?? '');
  const [, first = '', last = ''] = found ?? [];
  if (found === null || !isSameAs(headers.get('if-range'), validators) || (first === '' && last === ''))
    return undefined;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(Number(last) + 1, size);
  return start >= size || start >= end ? 'unsatisfiable' : { start, end };
}

/** A date counts too: what lies at an address of a snapshot never changes. */
function isSameAs(condition: string | null, { etag, modified }: Validators): boolean {
  return condition === null || condition.trim() === etag || condition.trim() === modified?.toUTCString();
}

function names(list: string, etag: string): boolean {
  return list
    .split(',')
    .map((tag) => tag.trim())
    .some((tag) => tag === '*' || tag === etag);
}

/** The list without the marks of weak tags (RFC 9110, section 8.8.3.2). */
function weak(list: string): string {
  return list.replaceAll(/(^|,)\s*W\//g, '$1');
}

/** Undefined where the header is absent, or either date is unknown. */
function isModified(headers: Headers, name: string, { modified }: Validators): boolean | undefined {
  const since = Date.parse(headers.get(name) ?? '');
  if (Number.isNaN(since) || modified === undefined) return undefined;
  return Math.floor(modified.getTime() / 1000) * 1000 > since;
}
