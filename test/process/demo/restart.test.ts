import { join } from 'node:path';
import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { expect, test } from 'vitest';
import { openBrowser, signIn } from '../../../demo/browser/browser.ts';
import { alice, people } from '../../../demo/people.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { startProviderProcess } from '../../support/servers/provider-process.ts';
import { startRelyingParty } from '../../support/servers/relying-party.ts';

test('killed and started again with its journal, the newest token works and a used one still ends the session', async () => {
  await using folder = await temporaryFolder('provider');
  const journal = join(folder.path, 'journal');
  await using party = await startRelyingParty();
  const first = await startProviderProcess({ clients: [party.client], people, journal });
  const port = Number(new URL(first.issuer).port);
  await using browser = openBrowser();
  const config = await party.discover(first.issuer);
  const attempt = await party.begin(config, 'openid offline_access', { prompt: 'consent' });
  const tokens = await attempt.finish((await signIn(browser, await browser.open(attempt.url), alice)).url);
  const used = tokens.refresh_token ?? '';
  const newest = (await oidc.refreshTokenGrant(config, used)).refresh_token ?? '';
  await first.kill();
  await expect(oidc.refreshTokenGrant(config, newest)).rejects.toThrow();
  await expect(first.log('alive')).rejects.toThrow();

  await using second = await startProviderProcess({ clients: [party.client], people, journal, port });
  expect(await second.log('alive')).toMatchObject([{ token: newest, held: true }]);
  expect((await second.log('requests')).map(({ status }) => status)).toEqual([200, 200]);
  const next = await oidc.refreshTokenGrant(config, newest);
  expect(next.claims()?.sub).toBe(alice.subject);
  await expect(oidc.refreshTokenGrant(config, used)).rejects.toMatchObject({ error: 'invalid_grant' });
  expect(await second.log('held')).toMatchObject([{ endedBy: 'reuse' }]);
});

test('in a process of its own it is administered, given faults, moved in time and asked like any other', async () => {
  await using party = await startRelyingParty({ consentRequired: false, directAccess: true });
  await using provider = await startProviderProcess({
    clients: [party.client],
    people,
    options: { accessTokenSeconds: 60 },
  });
  const config = await party.discover(provider.issuer);
  const form = { username: 'alice', password: 'alice', scope: 'openid offline_access' };
  const { refresh_token: token = '' } = await oidc.genericGrantRequest(config, 'password', form);
  expect(await provider.log('issued')).toMatchObject([{ token }]);
  expect((await provider.admin('settings')).accessTokenSeconds).toBe(60);
  await provider.faults('next', { kind: 'status', when: 'before', status: 503 });
  await expect(oidc.refreshTokenGrant(config, token)).rejects.toMatchObject({ cause: { status: 503 } });
  await provider.shift(31 * 86_400_000);
  await expect(oidc.refreshTokenGrant(config, token)).rejects.toMatchObject({ error: 'invalid_grant' });
  expect(await provider.log('grants')).toMatchObject([{ endedBy: 'idle', sid: decodeJwt(token).sid }]);
  await expect(provider.admin('setClient', 'nobody', {})).rejects.toThrow('The provider has no client nobody.');
});
