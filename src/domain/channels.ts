import { createHash } from 'node:crypto';

/** What operators are notified of: by messages as it happens … */
const messages = ['digest', 'circuit', 'rotation_lost', 'repositories', 'forecast'] as const;
/** … and of each night, as a sign of life whose absence is an alarm too. */
const nights = ['night_begun', 'night_over'] as const;

/** Everything that channels can be told, by the names that `NOTIFY_URLS` uses. */
export const operatorNotices = [...messages, ...nights] as const;

export type OperatorNotice = (typeof operatorNotices)[number];

/** What each kind of channel gets where nothing is chosen. A heartbeat can only say how nights went. */
export const channelKinds = {
  json: messages,
  ntfy: messages,
  slack: messages,
  apprise: messages,
  healthchecks: nights,
  kuma: nights,
} as const satisfies Record<string, readonly OperatorNotice[]>;

export type ChannelKind = keyof typeof channelKinds;

/** One receiver of messages for operators. */
export interface ChannelAddress {
  kind: ChannelKind;
  /** A secret: whoever knows it may write there. */
  url: string;
  /** The kind and a digest of the address: names it on record and in the log without giving it away. */
  id: ChannelId;
  about: readonly OperatorNotice[];
}

export type ChannelId = `${ChannelKind}:${string}`;

/**
 * Reads `KIND+https://…` or `KIND+http://…`, and after it the only kinds of message that the channel gets (`circuit rotation_lost`), if any are
 * named. Undefined where it is not of this form, or names a message that this kind of channel cannot carry.
 */
export function parseChannel(text: string): ChannelAddress | undefined {
  const [, kind = '', url = '', chosen = ''] = /^([a-z]+)\+(https?:\/\/\S+)((?:\s+\S+)*)$/.exec(text) ?? [];
  if (!isKind(kind) || !URL.canParse(url)) return undefined;
  const words = chosen.split(/\s+/).filter(Boolean);
  const about = noticesFor(kind).filter((notice) => words.includes(notice));
  if (about.length < new Set(words).size) return undefined;
  const id: ChannelId = `${kind}:${createHash('sha256').update(url).digest('hex').slice(0, 8)}`;
  return { kind, url, id, about: words.length === 0 ? channelKinds[kind] : about };
}

/** The messages that this kind of channel can carry. */
function noticesFor(kind: ChannelKind): readonly OperatorNotice[] {
  return channelKinds[kind] === nights ? nights : operatorNotices;
}

/** The channels that get this kind of message. */
export function channelsFor(notice: OperatorNotice, channels: readonly ChannelAddress[]): ChannelId[] {
  return channels.filter(({ about }) => about.includes(notice)).map(({ id }) => id);
}

/** By what somebody was told, of the name of a channel on record: `mail`, or the kind. */
export function meansOf(channel: string): ChannelKind | 'mail' | undefined {
  const [word = ''] = channel.split(/[:-]/);
  return word === 'mail' || isKind(word) ? word : undefined;
}

function isKind(word: string): word is ChannelKind {
  return Object.hasOwn(channelKinds, word);
}
