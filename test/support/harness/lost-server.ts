import { join } from 'node:path';
import type { Database } from '../../../src/database/client.ts';
import { openKeyring } from '../../../src/repository-resources.ts';
import type { Resources } from '../../../src/resources.ts';
import { openProcessState } from '../../../src/resources.ts';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { openSpool } from '../../../src/vault/spool.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { type ConsentFixture, openConsentFixture } from './consent.ts';
import { openDatabaseFixture } from './database.ts';

/** An installation that lost everything but store and keyring, beside what it was before. */
export interface LostServer extends AsyncDisposable {
  /** As it was. */
  readonly before: ConsentFixture;
  /** The same settings and store on an empty database; with another keyring where its line is given. */
  rebuild(keyring?: string): Promise<Resources>;
}

/** With `store` and `places`, repositories lie there. */
export async function openLostServer(options: Parameters<typeof openConsentFixture>[0] = {}): Promise<LostServer> {
  await using opened = new AsyncDisposableStack();
  const before = opened.use(await openConsentFixture(options));
  const anew = opened.use(new AsyncDisposableStack());
  const rebuild = async (keyring = before.resources.config.keyring) => {
    const { database } = anew.use(await openDatabaseFixture());
    const { path } = anew.use(await temporaryFolder('rebuilt'));
    return rebuilt(before.resources, { database, keyring, path });
  };
  const closing = opened.move();
  return { before, rebuild, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

async function rebuilt(
  before: Resources,
  { database, keyring, path }: { database: Database; keyring: string; path: string },
): Promise<Resources> {
  const { clock, log } = before;
  return {
    ...before,
    ...openProcessState({ clock, database, log }),
    database,
    keyring: await openKeyring(database, parseKeyring(keyring), clock.now()),
    spool: openSpool(join(path, 'spool')),
  };
}
