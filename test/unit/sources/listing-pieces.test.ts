import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { unlimitedMemory } from '../../../src/memory-budget.ts';
import { defaultListingLimits, listPages } from '../../../src/sources/dav/pages.ts';
import { openTagReader } from '../../../src/sources/dav/xml-tag.ts';
import type { Send } from '../../../src/sources/http/dav-request.ts';
import { openProcessorShares } from '../../../src/sources/http/processor-shares.ts';
import type { Flow, Receiver } from '../../../src/sources/http/request.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { file, folder, listingOf } from '../../support/servers/hostile-webdav.ts';

const files = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`${index}.txt`, file('x')]));
const body = Buffer.from(listingOf(folder(files), { path: '/many/', headers: { depth: '1' } }));

/** A listing that the server sends all at once, to a run that shares the thread with so many others; `flow` says what was done to its body. */
function listed(others: number, { bytes = body, signal = new AbortController().signal } = {}) {
  const shares = openProcessorShares(manualClock('2026-11-23T01:00:00Z'), () => 0);
  const processor = shares.open();
  const rest = Array.from({ length: others }, () => shares.open());
  const flow: string[] = [];
  const send: Send = ({ receive }) =>
    new Promise((resolve, reject) => {
      const head = { status: 207, headers: {} };
      let receiver: Receiver<never> | undefined;
      const control: Flow = {
        pause: () => flow.push('paused'),
        resume: () => {
          flow.push('resumed');
          resolve({ head, value: receiver?.end() });
        },
        stop: (error) => {
          flow.push('stopped');
          receiver?.fail?.(error);
          reject(error);
        },
      };
      receiver = receive(head, control, '/many/') as Receiver<never>;
      receiver.data(bytes);
      flow.push('taken');
      if (!flow.includes('paused')) resolve({ head, value: receiver.end() });
    });
  const listing = listPages(
    send,
    {
      origin: 'https://cloud.example',
      collection: { kind: 'collection', name: 'many', location: '/many/' },
      withIdentity: false,
      limits: defaultListingLimits,
      clock: systemClock(),
      memory: unlimitedMemory,
      processor,
      readTag: openTagReader(),
    },
    signal,
  );
  return { listing, flow, rest };
}

describe('a listing that comes all at once', () => {
  test('is read in pieces where others share the thread, with what they do in between, and no more is taken meanwhile', async () => {
    const { listing, flow } = listed(1);
    let loops = 0;
    const ended = listing.then(() => flow.push('listed'));
    for (; !flow.includes('listed'); loops++) await setImmediate();
    await ended;
    expect(flow).toEqual(['paused', 'taken', 'resumed', 'listed']);
    expect(loops).toBeGreaterThanOrEqual(Math.ceil(body.length / 4096));
    expect((await listing).items).toHaveLength(501);
  });

  test('is read as it comes by a run alone', async () => {
    const { listing, flow } = listed(0);
    expect((await listing).items).toHaveLength(501);
    expect(flow).toEqual(['taken']);
  });

  test('ends with what is wrong with it, also where that comes in a later piece', async () => {
    const bytes = Buffer.concat([body.subarray(0, body.length / 2), Buffer.from('</wrong>')]);
    const { listing, flow } = listed(1, { bytes });
    await expect(listing).rejects.toMatchObject({ code: 'source/malformed' });
    expect(flow).toEqual(['paused', 'taken', 'stopped']);
  });

  test('ends when the run is ended in the middle of it', async () => {
    const ended = new AbortController();
    const { listing, flow } = listed(1, { signal: ended.signal });
    await setImmediate();
    ended.abort(new Error('ended'));
    await expect(listing).rejects.toThrow('ended');
    expect(flow).toEqual(['paused', 'taken', 'stopped']);
  });
});
