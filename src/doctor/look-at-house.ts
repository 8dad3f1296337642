import { join } from 'node:path';
import { inspectIssuing } from '../database/inspect-custody.ts';
import { listRepositoryLocations } from '../database/inspect-runs.ts';
import { hasQueueTables, inspectServer, kindOfFault } from '../database/inspect-server.ts';
import { compareMigrations } from '../database/migrate.ts';
import { isAppError, messageForPeople } from '../errors.ts';
import { readClientKeys } from '../oidc/client-keys.ts';
import { askSigningKeys } from '../oidc/inspect-provider.ts';
import { askRedis, queuePrefix } from '../queues.ts';
import { openLocalBackend } from '../store/backend/local.ts';
import { inspectFolder } from '../store/backend/local-folder.ts';
import { inParallel } from '../store/repository/in-parallel.ts';
import { repositoryExists } from '../store/repository/repository.ts';
import { openSpool } from '../vault/spool.ts';
import { judgeClocks } from './clocks.ts';
import { judgeDatabaseFault, judgeMigrations, judgeNoDatabase, judgeServer } from './database.ts';
import { judgeDiscovery, judgeSigningKeys } from './discovery.ts';
import type { Finding } from './finding.ts';
import type { Patient } from './patient.ts';
import { judgePublicAddress } from './public-address.ts';
import { judgeQueueTables, judgeRedis, judgeRedisFault, readInfo } from './queue.ts';
import { judgeSettings } from './settings.ts';
import { judgeRepositories, judgeSpool, judgeStore } from './store.ts';

/** How many tokens that were issued of late tell the provider's time, and how late that may be. */
const issued = { latest: 50, backMs: 7 * 86_400_000 };
/** Repositories that are looked for at once. */
const atOnce = 16;

/** A key is text to the settings; whether it is a key shows when it is read. */
export async function lookAtSettings({ environment, survey }: Patient): Promise<Finding[]> {
  const { privateKeyPem } = survey.settings.provider;
  const faultOfKey = await readClientKeys(privateKeyPem ?? '').then(
    () => [],
    (error: unknown) => [messageForPeople(error)],
  );
  return judgeSettings([...survey.faults.values(), ...faultOfKey], Object.keys(environment));
}

export async function lookAtPublicAddress(patient: Patient): Promise<Finding> {
  return judgePublicAddress(patient.setting('publicUrl'));
}

export async function lookAtDiscovery(patient: Patient): Promise<Finding> {
  return judgeDiscovery(patient.setting('issuer'), await patient.published());
}

export async function lookAtSigningKeys(patient: Patient): Promise<Finding> {
  const { metadata } = await patient.client();
  return judgeSigningKeys(await askSigningKeys(patient.clock, metadata.jwks_uri ?? ''));
}

/** By what each can tell: a provider that sends no Date by its tokens, and one that is away not at all. */
export async function lookAtClocks(patient: Patient): Promise<Finding> {
  const { reply } = await patient.published().catch(() => ({ reply: undefined }));
  const database = await patient.database().catch(() => undefined);
  const server = database && (await inspectServer(database));
  const now = patient.clock.now();
  return judgeClocks({
    provider: reply?.date && secondsAhead(reply.date, reply.at) + 0.5,
    tokens: await secondsOfTokens(patient),
    database: server && secondsAhead(server.now, now),
  });
}

async function secondsOfTokens(patient: Patient): Promise<number | undefined> {
  const records = await patient.records().catch(() => undefined);
  if (records === undefined) return undefined;
  const since = new Date(patient.clock.now().getTime() - issued.backMs);
  const { lagSeconds } = await inspectIssuing(records, { since, latest: issued.latest });
  return lagSeconds === null ? undefined : 0.5 - lagSeconds;
}

const secondsAhead = (theirs: Date, ours: Date) => (theirs.getTime() - ours.getTime()) / 1000;

export async function lookAtDatabase(patient: Patient): Promise<Finding> {
  const embedded = patient.option('databaseUrl') === undefined;
  try {
    const database = await patient.database();
    const began = patient.clock.elapsed();
    const facts = await inspectServer(database);
    return judgeServer(facts, Math.round(patient.clock.elapsed() - began));
  } catch (error) {
    if (!isAppError(error, 'database/unavailable')) throw error;
    if (embedded && error.cause === undefined) return judgeNoDatabase();
    return judgeDatabaseFault(kindOfFault(error.cause), embedded);
  }
}

export async function lookAtMigrations(patient: Patient): Promise<Finding> {
  const embedded = patient.option('databaseUrl') === undefined;
  return judgeMigrations(await compareMigrations(await patient.database()), embedded);
}

export async function lookAtQueue(patient: Patient): Promise<Finding> {
  const redisUrl = patient.option('redisUrl');
  if (redisUrl === undefined) return judgeQueueTables(await hasQueueTables(await patient.database(), queuePrefix));
  try {
    return judgeRedis(readInfo(await askRedis(redisUrl)));
  } catch (error) {
    return judgeRedisFault(error instanceof Error ? error.message : '');
  }
}

export async function lookAtStore(patient: Patient): Promise<Finding> {
  const facts = await inspectFolder(patient.setting('storeFolder'), patient.clock.elapsed);
  return judgeStore(facts, (await findLocations(patient))?.length);
}

export async function lookAtRepositories(patient: Patient): Promise<Finding> {
  const folder = patient.setting('storeFolder');
  const locations = await listRepositoryLocations(await patient.records(), patient.clock.now());
  const look = async (location: string) =>
    (await repositoryExists(openLocalBackend(join(folder, location)))) ? [] : [location];
  const missing = await Array.fromAsync(inParallel(locations, atOnce, look, raise));
  return judgeRepositories({ known: locations.length, missing: missing.flat() });
}

async function findLocations(patient: Patient): Promise<string[] | undefined> {
  const records = await patient.records().catch(() => undefined);
  return records && listRepositoryLocations(records, patient.clock.now());
}

function raise(error: unknown): never {
  throw error;
}

/** Where it is to be made at need, its parent is looked at. */
export async function lookAtSpool(patient: Patient): Promise<Finding> {
  const dataDir = patient.setting('dataDir');
  const spool = openSpool(join(dataDir, 'spool'));
  const own = await inspectFolder(spool.folder, patient.clock.elapsed);
  const facts = own.exists ? own : await inspectFolder(dataDir, patient.clock.elapsed);
  return judgeSpool(facts, facts.fault === undefined ? (await spool.list()).length : 0);
}
