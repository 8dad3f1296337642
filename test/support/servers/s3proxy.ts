import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { requireProgram } from './programs.ts';
import { type Place, type RunningServer, startServerProcess } from './server-process.ts';

const run = promisify(execFile);

/** S3Proxy, as `s3proxy/pom.xml` names it, and the SHA-256 over it and all that it needs, in the order of their names. */
const version = '2.7.0';
const checksum = 'ad1225051cf307735fc5e393d6c72f78d7796012895c02350350ca2159c93b52';

/**
 * The folder of the jars of S3Proxy, fetched by Maven when it is asked for the first time and kept in the user's cache. Undefined,
 * after a loud word, where Java or Maven is missing. Throws when what came is not what is expected.
 */
export async function s3ProxyJars(): Promise<string | undefined> {
  const java = requireProgram('java', 'apt-get install openjdk-17-jre-headless');
  const maven = requireProgram('mvn', 'apt-get install maven');
  if (java === undefined || maven === undefined) return undefined;
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'nightkeep');
  const fetched = join(cache, `s3proxy-${version}`);
  if (existsSync(fetched)) return fetched;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'fetching-'));
  try {
    await cp(join(import.meta.dirname, 's3proxy', 'pom.xml'), join(work, 'pom.xml'));
    await run(maven, ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=jars'], { cwd: work });
    await verify(join(work, 'jars'));
    // Moved in one step: a run that was cut off leaves nothing that looks whole.
    await rename(join(work, 'jars'), fetched);
    return fetched;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function verify(folder: string): Promise<void> {
  const hash = createHash('sha256');
  for (const name of (await readdir(folder)).sort()) hash.update(await readFile(join(folder, name)));
  const found = hash.digest('hex');
  if (found !== checksum) throw new Error(`S3Proxy came with SHA-256 ${found} instead of ${checksum}: it is not used.`);
}

/** A server that speaks S3, with the key that opens its bucket `backups`. */
export interface S3Proxy extends RunningServer {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Starts S3Proxy on a free port, on loopback or at that place; what it keeps lies in a folder that goes with it. */
export async function startS3Proxy(jars: string, place?: Place): Promise<S3Proxy> {
  const { path: home, ...disposal } = await temporaryFolder('s3proxy');
  const key = { accessKeyId: 'tester', secretAccessKey: 'a secret of the tests'.replaceAll(' ', '-') };
  await mkdir(join(home, 'data', 'backups'), { recursive: true });
  await writeFile(join(home, 'logback.xml'), logging);
  const server = await startServerProcess(
    async (port) => {
      await writeFile(
        join(home, 's3proxy.conf'),
        settings(`http://${place?.host ?? '127.0.0.1'}:${port}`, join(home, 'data'), key),
      );
      const logged = `-Dlogback.configurationFile=${join(home, 'logback.xml')}`;
      const java = ['-Xmx512m', '-XX:TieredStopAtLevel=1', logged, '-cp', join(jars, '*')];
      return {
        command: 'java',
        args: [...java, 'org.gaul.s3proxy.Main', '--properties', join(home, 's3proxy.conf')],
      };
    },
    async () => disposal[Symbol.asyncDispose](),
    { startMs: 120_000, place },
  );
  return { ...server, ...key };
}

/** Without it every request is logged, byte by byte. */
const logging = `<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%msg%n%ex</pattern></encoder></appender>
  <root level="ERROR"><appender-ref ref="out"/></root>
</configuration>
`;

function settings(endpoint: string, folder: string, key: { accessKeyId: string; secretAccessKey: string }): string {
  return Object.entries({
    's3proxy.endpoint': endpoint,
    // Clocks of tests are moved by days, and requests are dated by them.
    's3proxy.maximum-timeskew': '1000000000',
    's3proxy.authorization': 'aws-v4',
    's3proxy.identity': key.accessKeyId,
    's3proxy.credential': key.secretAccessKey,
    'jclouds.provider': 'filesystem-nio2',
    'jclouds.filesystem.basedir': folder,
    // It wants them whatever the provider is.
    'jclouds.identity': 'nobody',
    'jclouds.credential': 'nothing',
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
