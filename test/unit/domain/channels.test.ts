import { describe, expect, test } from 'vitest';
import { channelsFor, operatorNotices, parseChannel } from '../../../src/domain/channels.ts';

const ofNights: readonly string[] = ['night_begun', 'night_over'];
const kinds = [
  ['json', ['digest', 'circuit', 'rotation_lost', 'repositories', 'forecast']],
  ['ntfy', ['digest', 'circuit', 'rotation_lost', 'repositories', 'forecast']],
  ['slack', ['digest', 'circuit', 'rotation_lost', 'repositories', 'forecast']],
  ['apprise', ['digest', 'circuit', 'rotation_lost', 'repositories', 'forecast']],
  ['healthchecks', ofNights],
  ['kuma', ofNights],
] as const;

describe.each(kinds)('a channel of the kind %s', (kind, usual) => {
  const url = 'https://receiver.example/path?key=secret';

  test('is told what its kind is for, where nothing else is chosen', () => {
    expect(parseChannel(`${kind}+${url}`)).toMatchObject({ kind, url, about: usual });
  });

  test.each(operatorNotices)('is told of %s alone where that is chosen, or cannot be', (notice) => {
    const heartbeat = kind === 'healthchecks' || kind === 'kuma';
    const channel = parseChannel(`${kind}+${url}  ${notice}`);
    expect(channel?.about).toEqual(heartbeat && !ofNights.includes(notice) ? undefined : [notice]);
    const told = operatorNotices.filter((one) => channelsFor(one, channel === undefined ? [] : [channel]).length > 0);
    expect(told).toEqual(channel?.about ?? []);
  });

  test('has a name that does not depend on it, and gives the address away as little', () => {
    const { id } = parseChannel(`${kind}+${url} night_over`) ?? expect.unreachable();
    expect(id).toBe(parseChannel(`${kind}+${url}`)?.id);
    expect(id).toMatch(new RegExp(`^${kind}:[0-9a-f]{8}$`));
  });

  test.each(['nights', 'circuit,digest', 'Circuit', 'night_over nothing', '+'])(
    'is none with “%s” behind it',
    (words) => {
      expect(parseChannel(`${kind}+${url} ${words}`)).toBeUndefined();
    },
  );
});

test('several can be chosen, in whichever order and however often', () => {
  const channel = parseChannel('ntfy+https://ntfy.example/topic night_over\tcircuit night_over');
  expect(channel?.about).toEqual(['circuit', 'night_over']);
});
