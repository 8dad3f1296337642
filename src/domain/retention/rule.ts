/** What a rule counts: the newest snapshots, the newest of each hour, of each day, and so on. */
export const countWords = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type CountWord = (typeof countWords)[number];

/** Calendar units, as restic writes them: `1y6m14d12h`. */
export type Span = {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
};

/** Which snapshots stay, in the words of `restic forget` without "keep-". What any part of it keeps, stays. */
export interface RetentionRule extends Partial<Readonly<Record<CountWord, number>>> {
  /** Everything that is at most this much older than the newest snapshot. */
  readonly within?: Span;
  /** Everything with one of these tags. */
  readonly tags?: readonly string[];
}

/** The tag of snapshots that stay until it is taken off them. */
export const pinned = 'pinned';

/** Reads a rule that was saved as JSON; what is not part of one is left out. */
export function asRule(saved: unknown): RetentionRule {
  if (typeof saved !== 'object' || saved === null) return {};
  const found = new Map<string, unknown>(Object.entries(saved));
  const count = (name: string, from = found) => {
    const value = from.get(name);
    return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
  };
  const counts = countWords.flatMap((word) => (count(word) > 0 ? [[word, count(word)] as const] : []));
  const span = new Map<string, unknown>(Object.entries(found.get('within') ?? {}));
  const [years, months, days, hours] = [
    count('years', span),
    count('months', span),
    count('days', span),
    count('hours', span),
  ];
  const tags = found.get('tags');
  return {
    ...Object.fromEntries(counts),
    ...(years + months + days + hours > 0 && { within: { years, months, days, hours } }),
    ...(Array.isArray(tags) && { tags: tags.filter((tag) => typeof tag === 'string') }),
  };
}

/** Whether the rule keeps everything, since it asks for nothing. */
export function isEmpty(rule: RetentionRule): boolean {
  const counts = countWords.some((word) => (rule[word] ?? 0) > 0);
  const { years, months, days, hours } = rule.within ?? { years: 0, months: 0, days: 0, hours: 0 };
  return !counts && years + months + days + hours === 0 && (rule.tags ?? []).length === 0;
}

/** Reads `daily=7,weekly=4,monthly=12,within=14d,tag=keep`, or `all`. Throws RangeError that names the part and the cure. */
export function parseRule(text: string): RetentionRule {
  if (text.trim() === 'all') return {};
  const parts = text.split(',').map((part) => part.trim());
  const tags: string[] = [];
  const rule: { -readonly [Word in CountWord]?: number } & { within?: Span } = {};
  for (const part of parts) {
    const [, name = '', value = ''] = /^([a-z]+)=(.+)$/.exec(part) ?? [];
    const word = countWords.find((known) => known === name);
    if (word !== undefined && /^\d{1,4}$/.test(value)) rule[word] = Number(value);
    else if (name === 'within') rule.within = parseSpan(value);
    else if (name === 'tag') tags.push(value);
    else throw invalid(part);
  }
  return { ...rule, ...(tags.length > 0 && { tags }) };
}

/** Writes the rule as `parseRule` reads it. */
export function ruleText(rule: RetentionRule): string {
  const counts = countWords.flatMap((word) => ((rule[word] ?? 0) > 0 ? [`${word}=${rule[word]}`] : []));
  const within = rule.within === undefined ? [] : [`within=${spanText(rule.within)}`];
  return [...counts, ...within, ...(rule.tags ?? []).map((tag) => `tag=${tag}`)].join(',') || 'all';
}

/** Writes a span as restic does. */
export function spanText({ years, months, days, hours }: Span): string {
  const part = (count: number, unit: string) => (count === 0 ? '' : `${count}${unit}`);
  return part(years, 'y') + part(months, 'm') + part(days, 'd') + part(hours, 'h');
}

function parseSpan(text: string): Span {
  const match = /^(?:(\d{1,4})y)?(?:(\d{1,4})m)?(?:(\d{1,5})d)?(?:(\d{1,6})h)?$/.exec(text);
  if (match === null || text === '') throw invalid(`within=${text}`);
  const [years, months, days, hours] = [1, 2, 3, 4].map((group) => Number(match[group] ?? 0));
  return { years: years ?? 0, months: months ?? 0, days: days ?? 0, hours: hours ?? 0 };
}

function invalid(part: string): RangeError {
  return new RangeError(
    `has "${part}": write it as daily=7,weekly=4,monthly=12, with any of ${countWords.join(', ')}, within=14d and tag=NAME, numbers up to 9999; or as all`,
  );
}
