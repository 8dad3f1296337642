import { beforeAll, describe, expect, it } from 'vitest';
import type { Searched } from '../../../src/store/history/search.ts';
import type { SavedSnapshot } from '../../../src/store/repository/snapshots.ts';
import { nightTimesIn } from '../../../src/web/night-times.ts';
import { howFar } from '../../../src/web/pages/find.ts';
import { texts as de } from '../../../src/web/texts/de.ts';
import { texts as en } from '../../../src/web/texts/en.ts';
import { historyOf } from '../../support/fixtures/history.ts';

let stoppedAt: SavedSnapshot;
beforeAll(async () => {
  const { history } = await historyOf({});
  stoppedAt = history.snapshots[0] as SavedSnapshot;
});
const wanted = { text: 'novel', path: '', from: '' };
const said = (searched: Searched | undefined, texts = en) =>
  String(howFar(searched, wanted, nightTimesIn(texts, 'UTC'), texts));

describe('a search that did not get through', () => {
  it('names the night after which it stopped, and goes on there', () => {
    const words = said({ nights: 2, stoppedAt });
    expect(words).toContain(en.snapshots.stopped(2, '1 Mar 2026, 02:00'));
    expect(words).toContain(`from=${stoppedAt.id.slice(0, 16)}`);
  });

  it('leads nowhere where it did not get through its first night', () => {
    expect(said({ nights: 0, stoppedAt })).toContain(
      'The search stopped within the night of 1 Mar 2026, 02:00: there is too much to search at once.',
    );
    expect(said({ nights: 0, stoppedAt }, de)).toContain(de.snapshots.stoppedWithin('1. März 2026, 02:00'));
    expect(said({ nights: 0, stoppedAt })).not.toContain('href');
  });

  it('says so where it found more than is shown, and nothing where it was through', () => {
    expect(said(undefined)).toContain(en.snapshots.tooMany(1_000));
    expect(said({ nights: 3 })).toBe('');
  });
});
