import { createHash } from 'node:crypto';

/** What is told by one kind of channel: messages as they come, or each night as a heartbeat, whose absence is an alarm too. */
export const channelKinds = {
  json: 'messages',
  ntfy: 'messages',
  slack: 'messages',
  apprise: 'messages',
  healthchecks: 'nights',
  kuma: 'nights',
} as const;

export type ChannelKind = keyof typeof channelKinds;

/** One receiver of what operators are told. */
export interface ChannelAddress {
  kind: ChannelKind;
  /** A secret: whoever knows it may write there. */
  url: string;
  /** The kind and a digest of the address: names it on record and in the log without giving it away. */
  id: ChannelId;
}

export type ChannelId = `${ChannelKind}:${string}`;

/** Reads `KIND+https://…` or `KIND+http://…`; undefined where it is none. */
export function parseChannel(text: string): ChannelAddress | undefined {
  const [, kind = '', url = ''] = /^([a-z]+)\+(https?:\/\/\S+)$/.exec(text) ?? [];
  if (!isKind(kind) || !URL.canParse(url)) return undefined;
  return { kind, url, id: `${kind}:${createHash('sha256').update(url).digest('hex').slice(0, 8)}` };
}

/** The channels that take this. */
export function channelsFor(
  what: (typeof channelKinds)[ChannelKind],
  channels: readonly ChannelAddress[],
): ChannelId[] {
  return channels.filter(({ kind }) => channelKinds[kind] === what).map(({ id }) => id);
}

/** By what somebody was told, of the name of a channel on record: `mail`, or the kind. */
export function meansOf(channel: string): ChannelKind | 'mail' | undefined {
  const [word = ''] = channel.split(/[:-]/);
  return word === 'mail' || isKind(word) ? word : undefined;
}

function isKind(word: string): word is ChannelKind {
  return Object.hasOwn(channelKinds, word);
}
