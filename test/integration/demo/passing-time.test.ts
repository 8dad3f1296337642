import { expect, test } from 'vitest';
import { openBrowser, signIn } from '../../../demo/browser/browser.ts';
import { startDemo } from '../../../demo/demo.ts';
import { alice } from '../../../demo/people.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';

const day = 86_400_000;

test('time that passes in the demo passes for Nightkeep, the provider and the cloud, and ends what nobody used', async () => {
  await using folder = await temporaryFolder('demo');
  await using demo = await startDemo({ folder: folder.path });
  const { url, resources, provider, cloud } = demo;
  await using browser = openBrowser();
  await signIn(browser, await browser.open(new URL('login', url).href), alice);
  const terms = await browser.open(new URL('?scope=offline_access', url).href);
  await signIn(browser, await browser.submit(terms, { action: '/consent' }), alice);
  expect(provider.log.alive()).toMatchObject([{ clientId: 'nightkeep', subject: alice.subject }]);

  demo.advance(31 * day);
  const { headers } = await fetch(`${provider.issuer}/.well-known/openid-configuration`);
  const apart = Date.parse(headers.get('date') ?? '') - resources.clock.now().getTime();
  expect(Math.abs(apart)).toBeLessThan(10_000);
  expect(provider.log.grants()).toMatchObject([{ alive: false, endedBy: 'idle' }]);
  cloud.write('alice', 'Notes/Written later.txt', 'later');
  const written = cloud.contents('alice').get('Notes/Written later.txt');
  expect(written?.kind === 'file' && written.modified.getTime()).toBeGreaterThan(Date.now() + 30 * day);
});
