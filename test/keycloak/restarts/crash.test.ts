import { once } from 'node:events';
import { expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { silenceMs } from '../../../src/database/custody/leases.ts';
import { minuteMs } from '../../../src/durations.ts';
import { heal } from '../../../src/flows/heal.ts';
import { consent, exchangesOf, grantOf, openServiceFixture } from '../../support/harness/service-fixture.ts';
import { onKeycloak } from '../on-keycloak.ts';

onKeycloak('without scripts', (provider) => {
  test.each([
    ['arrives all the same', false],
    ['is lost with the process that asked', true],
  ])(
    'Keycloak is killed while it answers a refresh, rotation on, reuse 1; the answer %s: the consent lives',
    async (...[, lost]) => {
      await using fixture = await openServiceFixture(provider, { rules: { rotation: { reuse: 1 } }, wired: true });
      await consent(fixture, alice);
      const answer = fixture.realm.holdNextAnswer();
      const asking = fixture.process('grants', '--ask-again', '--user', alice.username);
      const ended = once(asking, 'exit');
      await answer.given;
      if (lost) asking.kill('SIGKILL');
      await provider.crash?.();
      answer.release();
      await ended;
      fixture.pass(silenceMs + minuteMs);
      for (const each of fixture.processes) await heal(each);
      expect(await fixture.night()).toMatchObject([{ state: 'succeeded' }]);
      expect(await fixture.night()).toMatchObject([{ state: 'succeeded' }]);
      const exchanges = await exchangesOf(fixture, alice);
      expect(exchanges.filter(({ verdict }) => verdict === 'person')).toEqual([]);
      expect(await grantOf(fixture, alice)).toMatchObject({ state: 'active', reason: null });
      expect(await fixture.realm.offlineSessions(alice)).toBe(1);
    },
  );
});
