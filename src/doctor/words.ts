import type { Reply } from '../oidc/question.ts';

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** A duration in the largest unit that loses less than a tenth of it, as settings are written: 30d, 36h, 90s. */
export function durationWords(ms: number): string {
  const rounded = Math.max(0, Math.round(ms / 1_000) * 1_000);
  const [unit, size] = units.find(([, unitMs]) => rounded >= unitMs && (rounded % unitMs) * 10 < rounded) ?? [
    's',
    1_000,
  ];
  return `${Math.round(rounded / size)}${unit}`;
}

/** An amount of bytes as operators read it, such as "1.5 GiB". */
export function bytesWords(bytes: number): string {
  if (bytes === 1) return '1 byte';
  const steps = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const step = Math.min(steps.length - 1, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  return `${(bytes / 1024 ** step).toFixed(step === 0 ? 0 : 1)} ${steps[step]}`;
}

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
