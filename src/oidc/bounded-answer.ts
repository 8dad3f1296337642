import { fetch } from 'undici';
import { countWords } from '../count-words.ts';
import { openGatheredBytes } from '../gathered-bytes.ts';
import { countJson } from '../json-pieces.ts';
import type { ProviderHosts } from './provider-hosts.ts';

/** An answer of a provider holds a few KB; tokens with hundreds of roles in them still fit many times over. */
export const defaultAnswerBytes = 1024 * 1024;

/** An answer is longer than one may be; what is left of it was not read. */
class AnswerTooLarge extends Error {
  readonly code = 'answer-too-large';
  readonly mostBytes: number;

  constructor(mostBytes: number) {
    super(`An answer has more than ${countWords(mostBytes, 'byte')}.`);
    this.mostBytes = mostBytes;
  }
}

/**
 * What is parsed costs by its members and items rather than by its bytes: 80,000 members in one MiB hold the thread for a second. Claims with
 * hundreds of roles fit many times over.
 */
const mostMembers = 3_000;
const mostItems = 50_000;

/** Whether a JSON text has more members or items than any answer of a provider. */
export function hasTooManyItems(json: Buffer): boolean {
  const { members, items } = countJson(json, { members: mostMembers, items: mostItems });
  return members > mostMembers || items > mostItems;
}

class AnswerWithTooManyItems extends Error {
  readonly code = 'answer-too-manifold';

  constructor() {
    super(`An answer has too many members: more than ${mostMembers}, or than ${mostItems} items.`);
  }
}

/**
 * The whole of a body, decoded as it arrives. Throws `AnswerTooLarge` as soon as it is longer than `mostBytes`, and reads no further, and
 * `AnswerWithTooManyItems` where its JSON has more members or items than any answer of a provider.
 */
export async function readAnswer(body: AsyncIterable<Uint8Array> | null, mostBytes: number): Promise<string> {
  const gathered = openGatheredBytes();
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new AnswerTooLarge(mostBytes);
    gathered.add(chunk);
  }
  const whole = Buffer.concat(gathered.take());
  if (hasTooManyItems(whole)) throw new AnswerWithTooManyItems();
  return new TextDecoder().decode(whole);
}

/**
 * A fetch that asks no other hosts than these, and has read its answer, of `mostBytes` at most after decoding, when it resolves; rejects with
 * `AnswerTooLarge` for a longer one.
 */
export function boundedFetch(
  mostBytes: number,
  { check, dispatcher }: ProviderHosts,
): (url: string, options?: object) => Promise<Response> {
  return async (url, options) => {
    await check(url);
    const response = await fetch(url, { ...options, dispatcher });
    const text = await readAnswer(response.body, mostBytes);
    const headers = new Headers([...response.headers]);
    headers.delete('content-length');
    headers.delete('content-encoding');
    return new Response(text || null, { status: response.status, headers });
  };
}
