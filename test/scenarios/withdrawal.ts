import { expect, test } from 'vitest';
import { alice } from '../../demo/people.ts';
import { texts } from '../../src/web/texts/en.ts';
import { consent, openServiceFixture } from '../support/harness/service-fixture.ts';
import type { Provider } from '../support/realms/realm.ts';

/** A consent is withdrawn, and the page says what became of its token at the provider. */
export function describeWithdrawal(provider: Provider, { revokes }: { revokes: boolean }): void {
  const then = revokes ? 'ends every token there' : 'says that the provider offers no way to end the token there';
  test(`withdrawing after two nights ${then}, and there are no more nights`, async () => {
    await using fixture = await openServiceFixture(provider);
    const visitor = await consent(fixture, alice);
    await fixture.night();
    expect(await fixture.realm.offlineSessions(alice)).toBe(1);
    await visitor.open(new URL('grant/withdraw', fixture.url).href);
    await visitor.press(texts.withdraw.choose);
    await visitor.press(texts.withdraw.sureEnd);
    const page = await visitor.text();
    expect(page).toContain(texts.grant.states.withdrawn);
    const [before = '', after = ''] = (revokes ? texts.grant.revocation.revoked : texts.grant.revocation.shredded)(
      'TIME',
    ).split('TIME');
    expect(page).toContain(before);
    expect(page).toContain(after);
    expect(await fixture.realm.offlineSessions(alice)).toBe(revokes ? 0 : 1);
    expect(await fixture.night()).toEqual([]);
  });
}
