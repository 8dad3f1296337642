import { vi } from 'vitest';
import { runCommand } from '../../../src/cli/run-command.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { type DatabaseFixture, openDatabaseFixture } from './database.ts';
import { settingsFor } from './settings.ts';

/** The commands of a Nightkeep with a database of its own, run in this process. */
export interface CommandFixture extends DatabaseFixture {
  /** Where it keeps its data. */
  readonly folder: string;
  /** What the command that was run last printed, line by line. */
  readonly said: string[];
  /** What all of them wrote to standard error. */
  readonly complaints: string[];
  /** Runs `nightkeep …` to its end, and gives its exit code. */
  nightkeep(...argv: string[]): Promise<number>;
}

/** The settings stand in the environment until the fixture is disposed of, which restores all mocks too. */
export async function openCommandFixture(at: {
  issuer: string;
  secret?: string;
  filesUrl?: string;
  keyring?: string;
}): Promise<CommandFixture> {
  await using opened = new AsyncDisposableStack();
  const { url, database } = opened.use(await openDatabaseFixture());
  const { path: folder } = opened.use(await temporaryFolder('commands'));
  const { secret = 'secret', ...rest } = at;
  const publicUrl = new URL('http://localhost:3000/');
  const settings = {
    ...settingsFor({ folder, publicUrl, clientId: 'nightkeep', ...rest }),
    OIDC_CLIENT_SECRET: secret,
    DATABASE_URL: url,
  };
  opened.defer(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
  const complaints: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => complaints.push(String(line)) > 0);
  let said: string[] = [];
  const closing = opened.move();
  return {
    url,
    database,
    folder,
    complaints,
    get said() {
      return said;
    },
    nightkeep: (...argv) => {
      said = [];
      return runCommand(argv, { line: (text) => void said.push(text) });
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
