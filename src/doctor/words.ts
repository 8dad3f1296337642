import type { Reply } from '../oidc/question.ts';

/** "a, b and 3 more". */
export function someOf(items: readonly string[], most = 5): string {
  if (items.length <= most) return items.join(', ');
  return `${items.slice(0, most).join(', ')} and ${items.length - most} more`;
}

/** What somebody else wrote, fit to be printed on one line. */
export function quoted(text: unknown): string {
  return typeof text === 'string'
    ? text
        .replace(/[\p{C}\s]+/gu, ' ')
        .trim()
        .slice(0, 200)
    : '';
}

/** What the provider said, for people; nothing is decided by its words. */
export function evidence({ status, failure, body }: Reply): string {
  if (status === undefined) return `(${failure})`;
  const words = [quoted(body.error), quoted(body.error_description)].filter(Boolean).join(': ');
  return `(${[status, words].filter(Boolean).join(' ')})`;
}

/** What is wrong, and the cure after it; of a folder whose message names none, what to look at. */
export function sentences(
  text: string,
  otherwise = 'Look at the disk, and at the rights of the user that Nightkeep runs as.',
): [finding: string, cure: string] {
  const end = text.indexOf('. ');
  if (end === -1) return [text, otherwise];
  return [text.slice(0, end + 1), text.slice(end + 2)];
}
