import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { openLog, scrub } from '../../src/log.ts';
import { manualClock } from '../support/fixtures/manual-clock.ts';

const clock = manualClock('2026-05-04T12:00:00Z');

function written(fields: Record<string, unknown>): string {
  const lines: string[] = [];
  openLog({ clock, level: 'info', write: (line) => lines.push(line) }).info('an.event', fields);
  expect(lines).toHaveLength(1);
  return lines[0] ?? '';
}

describe('a line of the log', () => {
  test.each([
    ...['a\nb', 'a\r\n{"level":"error"}', '\u001b[2J', '\u009b2J', '\u0085', '\u2028', '\u007f', '"}'],
    ...['gpj.\u202eexe', '\u2066a\u2069', 'a\u200bb', '\ufeff', '\u{e0041}'],
  ])('is one line of JSON that no terminal obeys or shows in another order, whatever is in it: %j', (text) => {
    const error = new AppError('request/invalid', text, { detail: { name: text } });
    const line = written({ path: text, [text]: 1, error });
    expect(line).toMatch(/^[ -~]+$/);
    expect(JSON.parse(line)).toMatchObject({ event: 'an.event', level: 'info', path: text, [text]: 1 });
  });

  test('says when it was written in UTC, and leaves out what is below its level', () => {
    expect(JSON.parse(written({}))).toEqual({ time: '2026-05-04T12:00:00.000Z', level: 'info', event: 'an.event' });
    const lines: string[] = [];
    openLog({ clock, level: 'warn', write: (line) => lines.push(line) }).info('an.event');
    expect(lines).toEqual([]);
  });

  test('hides what is named or looks like a secret, in errors and their causes too', () => {
    const jwt = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.';
    const cause = new AppError('provider/unavailable', `at ${jwt}`, { detail: { refresh_token: 'its-token' } });
    const error = new AppError('request/invalid', 'Bearer its-token', { cause });
    const address = 'postgres://nightkeep:its-password@localhost/';
    const line = written({ error, clientSecret: 'its-secret', cookie: 'its-cookie', address, deep: [{ text: jwt }] });
    for (const secret of ['its-', jwt.slice(0, 20)]) expect(line).not.toContain(secret);
  });

  test('names the code of a foreign error that another one wraps, and no words of that', () => {
    const refused = Object.assign(new Error('connect its-host'), { code: 'ECONNREFUSED' });
    const error = new AppError('notice/unavailable', 'No answer.', {
      cause: new TypeError('failed', { cause: refused }),
    });
    const line = written({ error });
    expect(JSON.parse(line)).toMatchObject({ error: { cause: { name: 'TypeError', code: 'ECONNREFUSED' } } });
    expect(line).not.toContain('its-host');
  });

  test('hides a token that stands behind other words, and a password with odd characters', () => {
    const jwt = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2ln';
    const line = written({
      text: `a-b_${jwt} x.${jwt},${jwt}/eyJ eyJ.`,
      address: 'redis://:p/a:s%s@one and amqp://u:other@two',
    });
    expect(line).not.toMatch(/eyJhb|eyJzd|c2ln|p\/a:s|other/);
  });

  test.each([
    ['tokens that are none', 'eyJ'],
    ['addresses without a password', '://a:'],
    ['words of tokens', 'eyJaaaaaa.'],
    ['words with dots', 'a.'],
  ])('takes time that grows with the length of %s, not with its square', (_, part) => {
    const takenFor = (length: number) => {
      const text = part.repeat(Math.floor(length / part.length));
      const tries = Array.from({ length: 9 }, () => {
        const before = process.threadCpuUsage();
        for (let time = 0; time < 16_000 / length; time++) scrub(text);
        const { user, system } = process.threadCpuUsage(before);
        return user + system;
      });
      return Math.min(...tries);
    };
    takenFor(4_000);
    // The same number of characters in all: eight times as long where each is looked at with each other.
    expect(takenFor(4_000)).toBeLessThan(4 * takenFor(500) + 500);
  });

  test('writes a hundred members of an object at most, as of a list', () => {
    const members = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`member${index}`, 1]));
    expect(JSON.parse(written({ members })).members).toEqual(Object.fromEntries(Object.entries(members).slice(0, 100)));
    expect(JSON.parse(written({ list: Array(5_000).fill(1) })).list).toHaveLength(100);
  });
});
