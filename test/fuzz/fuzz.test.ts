import { readFile, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answers } from './areas/answers.ts';
import { cookies } from './areas/cookies.ts';
import { dates } from './areas/dates.ts';
import { hrefs } from './areas/hrefs.ts';
import { listings } from './areas/listings.ts';
import { mail } from './areas/mail.ts';
import { objects } from './areas/objects.ts';
import { repositoryFiles } from './areas/repository-files.ts';
import { xml } from './areas/xml.ts';
import { zips } from './areas/zips.ts';

/** Seeds that a property failed with once. They stay, and are tried first each time. */
const seedsFile = new URL('seeds.json', import.meta.url);
type Seeds = Record<string, { seed: number; path: string }[]>;
const seeds: Seeds = JSON.parse(await readFile(seedsFile, 'utf8'));

const seconds = Number(process.env.FUZZ_SECONDS ?? '60');
const seed = Number(process.env.FUZZ_SEED ?? Math.trunc(Math.random() * 0x7fffffff));
const properties = [
  ...xml,
  ...listings,
  ...hrefs,
  ...dates,
  ...answers,
  ...cookies,
  ...repositoryFiles,
  ...zips,
  ...mail,
  ...objects,
];
const ms = (seconds * 1000) / properties.length;

describe(`made-up input, seed ${seed}`, () => {
  test.each(properties)('$name', { timeout: 2 * ms + 120_000 }, async ({ name, check }) => {
    for (const kept of seeds[name] ?? []) report(await check({ ...kept, numRuns: 1, endOnFailure: true }));
    const details = await check({ seed, numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: ms });
    console.log(`${name}: ${details.numRuns} inputs, seed ${seed}`);
    if (details.failed) await keep(name, { seed, path: details.counterexamplePath ?? '' });
    report(details);
    expect(details.numRuns).toBeGreaterThan(0);
  });
});

function report(details: fc.RunDetails<unknown>): void {
  if (details.failed) throw new Error(fc.defaultReportMessage(details), { cause: details.errorInstance });
}

async function keep(name: string, failed: Seeds[string][number]): Promise<void> {
  seeds[name] = [...(seeds[name] ?? []), failed];
  await writeFile(seedsFile, `${JSON.stringify(seeds, null, 2)}\n`);
}
