import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAppError } from '../src/errors.ts';
import { openPersonRepository } from '../src/flows/nights/open-person-repository.ts';
import { checkRepository } from '../src/store/repository/check.ts';
import { lockRepository } from '../src/store/repository/lock.ts';
import { agreeAs } from './agree.ts';
import type { Demo } from './demo.ts';
import { passTime, settledRuns, untilTriedAgain } from './nights.ts';
import { alice, bob } from './people.ts';
import { fold, letNightPass, reportOn } from './report.ts';

/** Something that happens to people who back up, or to those who operate it. */
interface Showing {
  /** For the list, at most 60 characters. */
  readonly title: string;
  /** Makes it happen, and says what. */
  readonly happen: (demo: Demo) => AsyncGenerator<string>;
  /** What to look at then. */
  readonly look: (demo: Demo) => string;
  /** Puts it right: pressed a second time, the key does this. */
  readonly mend?: (demo: Demo) => AsyncGenerator<string>;
}

const client = 'nightkeep';
const longestWaitMs = 30_000;

/** What one key each shows. */
const showings: Readonly<Record<string, Showing>> = {
  a: {
    title: 'alice and bob agree, as if in browsers of theirs',
    happen: async function* (demo) {
      const since = demo.resources.clock.now();
      for (const person of [alice, bob]) await agreeAs(demo, person);
      yield* reportOn(demo, await settledRuns(demo, since));
    },
    look: ({ url }) => `Sign in as alice at ${url}: she is protected, and her snapshot can be browsed.`,
  },
  l: {
    title: 'a great loss: two thirds of the files of alice are gone',
    happen: async function* (demo) {
      const files = filesOfAlice(demo);
      for (const path of files.slice(0, Math.ceil((files.length * 2) / 3))) demo.cloud.remove(alice.username, path);
      yield* letNightPass(demo);
    },
    look: () =>
      'As alice, Home says “Only in part” and asks her to look at that night. The snapshots before it still hold everything.',
  },
  e: {
    title: 'a great change: somebody encrypts the files of alice',
    happen: async function* (demo) {
      for (const path of filesOfAlice(demo)) demo.cloud.write(alice.username, path, `not what it was: ${path}`);
      yield* letNightPass(demo);
    },
    look: () =>
      'As alice, Home asks her to look at that night; in Snapshots, the night before has every file as it was.',
  },
  d: {
    title: 'a spoilt file in the repository of alice',
    happen: async function* (demo) {
      await spoil(demo);
      yield 'Some bytes in the middle of her largest pack are others now.';
      yield* check(demo);
    },
    look: () => 'As alice, open one of these files in Snapshots: the download breaks off, and nothing wrong is given.',
    mend: async function* (demo) {
      await spoil(demo);
      yield 'The bytes are as they were.';
      yield* check(demo);
    },
  },
  w: {
    title: 'the cloud does not answer for a night',
    happen: async function* (demo) {
      await demo.cloud.down();
      yield* letNightPass(demo);
    },
    look: () => 'As alice, Home says why, and when it is tried again. Her consent is not touched.',
    mend: async function* (demo) {
      await demo.cloud.up();
      yield* whenTriedAgain(demo, 'The cloud answers again.');
    },
  },
  p: {
    title: 'the provider does not answer for a night',
    happen: async function* (demo) {
      await demo.provider.down();
      yield* letNightPass(demo);
    },
    look: () => 'Nobody loses a consent over it: a provider that is silent has refused nothing.',
    mend: async function* (demo) {
      await demo.provider.up();
      yield* whenTriedAgain(demo, 'The provider answers again.');
    },
  },
  o: {
    title: 'an operator fault: the secret of Nightkeep is wrong',
    happen: async function* (demo) {
      demo.provider.admin.setClientSecret(client, 'another secret');
      yield* letNightPass(demo);
    },
    look: () =>
      'One refusal opens the circuit: no other consent is tried. As alice, Home says that the operator can mend it, and that she need do nothing.',
    mend: async function* (demo) {
      demo.provider.admin.setClientSecret(client, demo.resources.config.provider.secrets[0] ?? '');
      yield* whenTriedAgain(demo, 'The secret is right again.');
    },
  },
  c: {
    title: 'a lost consent: alice takes it back at the provider',
    happen: async function* (demo) {
      await demo.provider.admin.removeConsent(alice.username, client);
      yield* letNightPass(demo);
    },
    look: ({ url }) => `As alice, Home says what happened; she agrees again at ${new URL('consent', url).href}.`,
    mend: agreeAgain,
  },
  r: {
    title: 'an administrator takes offline access from alice',
    happen: async function* (demo) {
      demo.provider.admin.setOfflineRole(alice.username, false);
      yield* letNightPass(demo);
    },
    look: () => 'As alice, Consent says what is missing and who can give it back: agreeing again would not help her.',
    mend: async function* (demo) {
      demo.provider.admin.setOfflineRole(alice.username, true);
      yield* whenTriedAgain(demo, 'She has offline access again, and need not agree anew.');
    },
  },
  n: {
    title: 'an answer of the provider is lost on its way to Nightkeep',
    happen: async function* (demo) {
      demo.provider.faults.next({ kind: 'cut', when: 'after' });
      yield* letNightPass(demo);
      yield* whenTriedAgain(demo, 'What was lost held the next token, and the provider takes no token twice.');
    },
    look: () =>
      'Home says to whom it happened that it was our fault; Consent lists the use whose answer was lost. Nobody else lost anything.',
    mend: agreeAgain,
  },
};

/** The list of what can be shown. */
export function showList(broken: ReadonlySet<string>): string {
  const line = ([key, { title }]: [string, Showing]) => `  ${key}   ${broken.has(key) ? `put right: ${title}` : title}`;
  return Object.entries(showings).map(line).join('\n');
}

export function isShowing(key: string): boolean {
  return Object.hasOwn(showings, key);
}

/** Shows what the key stands for, or puts it right where it was shown before. `broken` holds what is not put right. */
export async function* show(demo: Demo, key: string, broken: Set<string>): AsyncGenerator<string> {
  const showing = showings[key];
  if (showing === undefined) return;
  if (key !== 'a' && !(await isAgreed(demo)))
    return yield 'alice has not agreed to backups yet. Press a, and she does.';
  const { happen, look, mend, title } = showing;
  if (broken.delete(key)) {
    if (mend !== undefined) yield* mend(demo);
    return;
  }
  if (mend !== undefined) broken.add(key);
  yield `Now: ${title}.`;
  yield* happen(demo);
  yield fold(look(demo), 'Look: ');
  if (mend !== undefined) yield `Press ${key} once more to put it right.`;
}

async function isAgreed({ resources: { database } }: Demo): Promise<boolean> {
  return (await database.grant.count({ where: { user: { username: alice.username } } })) > 0;
}

/** Everybody agrees again whose consent has ended. */
async function* agreeAgain(demo: Demo): AsyncGenerator<string> {
  const { clock, database } = demo.resources;
  const since = clock.now();
  for (const person of [alice, bob]) {
    const grant = await database.grant.findFirst({ where: { user: { username: person.username } } });
    if (grant !== null && grant.state !== 'active') await agreeAs(demo, person);
  }
  yield* reportOn(demo, await settledRuns(demo, since));
}

async function* whenTriedAgain(demo: Demo, said: string): AsyncGenerator<string> {
  yield fold(`${said} What waits is tried again ...`);
  const { runs } = await passTime(demo, await untilTriedAgain(demo));
  yield* reportOn(demo, runs);
}

function filesOfAlice({ cloud }: Demo): string[] {
  return [...cloud.contents(alice.username)].flatMap(([path, { kind }]) => (kind === 'file' ? [path] : []));
}

/** Turns bytes in the middle of the largest pack over; a second time puts them right. */
async function spoil({ resources }: Demo): Promise<void> {
  const { location } = await resources.database.repository.findFirstOrThrow({
    where: { user: { username: alice.username } },
  });
  const folder = join(resources.store(location, null).location, 'data');
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = names.filter((name) => name.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const sized = await Promise.all(paths.map(async (path) => ({ path, size: (await stat(path)).size })));
  const [largest] = sized.toSorted((one, other) => other.size - one.size || one.path.localeCompare(other.path));
  if (largest === undefined) return;
  const bytes = await readFile(largest.path);
  const middle = Math.floor(bytes.length / 2);
  for (let at = middle; at < middle + 16; at++) bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  await chmod(largest.path, 0o600);
  await writeFile(largest.path, bytes);
}

/** After a run the worker may still be letting snapshots go, which takes a moment. */
async function lockWhenFree(...[repository, options]: Parameters<typeof lockRepository>) {
  const begun = options.clock.elapsed();
  for (;;) {
    try {
      return await lockRepository(repository, options);
    } catch (error) {
      if (!isAppError(error, 'repository/locked') || options.clock.elapsed() - begun > longestWaitMs) throw error;
      await options.clock.sleep(200);
    }
  }
}

/** What `nightkeep check --user alice --read-data` does. */
async function* check({ resources }: Demo): AsyncGenerator<string> {
  const { clock, database, lockOwner } = resources;
  const { id } = await database.user.findFirstOrThrow({ where: { username: alice.username } });
  const { repository } = await openPersonRepository(resources, id);
  await using lock = await lockWhenFree(repository, { clock, ...lockOwner, exclusive: true });
  const { findings } = await checkRepository(repository, { readData: 'all', signal: lock.signal });
  if (findings.length === 0) yield 'A check that reads everything finds nothing wrong.';
  for (const { severity, message, files = [] } of findings) {
    const paths = new Set(files.map(({ path }) => path));
    yield fold(`${message} It affects: ${[...paths].join(', ')}`, `  ${severity}: `);
  }
}
