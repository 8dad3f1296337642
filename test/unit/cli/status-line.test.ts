import { describe, expect, it } from 'vitest';
import { openStatusLine } from '../../../src/cli/status-line.ts';

/** A stream that keeps what was written, and a clock for it. */
function opened(stream: { isTTY?: boolean; columns?: number }, options = {}) {
  const written: string[] = [];
  const time = { now: 0 };
  const line = openStatusLine(options, () => time.now, { ...stream, write: (text) => written.push(text) });
  return { line, written, time };
}

describe('how far something is', () => {
  it('is one line on a terminal, written anew, which gives way to what happened and to the end', () => {
    const { line, written } = opened({ isTTY: true, columns: 12 });
    line.show('1 of 3 files and more');
    line.show('1 of 3 files and more');
    line.show('2 of 3');
    line.tell('alice: running');
    line.show('3 of 3');
    line.clear();
    line.clear();
    const wipe = '\r\x1b[2K';
    expect(written).toEqual([`${wipe}1 of 3 file`, `${wipe}2 of 3`, wipe, 'alice: running\n', `${wipe}3 of 3`, wipe]);
  });

  it('is a line every ten seconds elsewhere, if it has changed', () => {
    const { line, written, time } = opened({});
    line.tell('alice: running');
    line.show('1 of 3');
    time.now = 10_000;
    line.show('2 of 3');
    line.show('2 of 3');
    time.now = 19_000;
    line.show('3 of 3');
    time.now = 20_000;
    line.show('2 of 3');
    line.show('');
    line.clear();
    expect(written).toEqual(['alice: running\n', '2 of 3\n']);
  });

  it('says nothing where JSON was asked for', () => {
    const { line, written, time } = opened({ isTTY: true }, { json: true });
    time.now = 60_000;
    line.show('1');
    line.tell('2');
    line.clear();
    expect(written).toEqual([]);
  });

  it('sends a terminal nothing that it obeys but the wiping of the line', () => {
    const { line, written } = opened({ isTTY: true });
    line.show('\x1b[31mred');
    expect(written.join('')).not.toContain('\x1b[31m');
  });
});
