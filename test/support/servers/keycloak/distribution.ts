import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { requireProgram } from '../programs.ts';

const run = promisify(execFile);

/** The Keycloaks that the suite knows: version, and SHA-256 of org.keycloak:keycloak-quarkus-dist:VERSION:tar.gz. */
const checksums: Readonly<Record<string, string>> = {
  '26.7.1': 'd3bb3da0e4bf574db0c857f92b272da90575dc97aa26c41329c9d4399200974c',
  '26.4.0': '9fe5f9213ecf83f24b53b27409f3e0f20e10edce36aaa0828778a57c80f07a87',
};

export const defaultVersion = '26.7.1';

/**
 * The folder of a Keycloak of that version, unpacked and built, so that it starts with `--optimized`; fetched by Maven
 * when it is asked for the first time, and kept in the user's cache. Undefined, after a loud word, where Java or Maven
 * is missing. Throws when what came is not what is expected.
 */
export async function keycloakDistribution(version: string): Promise<string | undefined> {
  const checksum = checksums[version];
  if (checksum === undefined)
    throw new Error(`KEYCLOAK_VERSION ${version} is none of ${Object.keys(checksums).join(', ')}.`);
  const java = requireProgram('java', 'apt-get install openjdk-17-jre-headless');
  if (java === undefined) return undefined;
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'nightkeep');
  const built = join(cache, `keycloak-${version}`);
  if (existsSync(built)) return built;
  const maven = requireProgram('mvn', 'apt-get install maven');
  if (maven === undefined) return undefined;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'fetching-'));
  try {
    await build(await unpack(await fetchArchive(maven, version, work), checksum, work));
    // Moved in one step: a run that was cut off leaves nothing that looks whole.
    await rename(join(work, `keycloak-${version}`), built);
    return built;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function fetchArchive(maven: string, version: string, folder: string): Promise<string> {
  const artifact = `org.keycloak:keycloak-quarkus-dist:${version}:tar.gz`;
  await run(maven, ['-q', '-B', 'dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`], {
    cwd: folder,
  });
  return join(folder, `keycloak-quarkus-dist-${version}.tar.gz`);
}

async function unpack(archive: string, checksum: string, folder: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(archive), hash);
  const found = hash.digest('hex');
  if (found !== checksum) throw new Error(`${archive} has SHA-256 ${found} instead of ${checksum}: it is not used.`);
  await run('tar', ['-xzf', archive, '-C', folder]);
  return archive.replace(/quarkus-dist-/, '').replace(/\.tar\.gz$/, '');
}

/** What is settled when the server is built, and not again at each start. */
async function build(home: string): Promise<void> {
  await run(join(home, 'bin', 'kc.sh'), ['build', '--db=dev-file', '--health-enabled=false'], { cwd: home });
}
