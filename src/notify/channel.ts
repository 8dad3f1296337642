import type { Clock } from '../clock.ts';
import type { ChannelAddress, ChannelKind } from '../domain/channels.ts';
import { apprise } from './apprise.ts';
import { healthchecks } from './healthchecks.ts';
import { json } from './json.ts';
import { kuma } from './kuma.ts';
import type { Message, Writer } from './message.ts';
import { ntfy } from './ntfy.ts';
import { post } from './post.ts';
import { slack } from './slack.ts';

const writers: Record<ChannelKind, Writer> = { json, ntfy, slack, apprise, healthchecks, kuma };

/** Tells a channel; nothing where it has no word for it. Throws as `post`. */
export async function tell(clock: Clock, { kind, url }: ChannelAddress, message: Message): Promise<void> {
  const call = writers[kind](new URL(url), message);
  if (call !== undefined) await post(clock, call);
}
