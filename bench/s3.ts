/**
 * Times nights into a bucket of which every answer takes 20 ms: the first of 2,000 small files, an unchanged one, and one with a changed
 * file; and counts the requests of each. `node bench/s3.ts [--latency MS]`. The server is that of the tests, in this process.
 */
import { parseArgs } from 'node:util';
import { timeS3Nights } from './s3/nights.ts';

const { values } = parseArgs({ options: { latency: { type: 'string', default: '20' } } });
for await (const night of timeS3Nights(Number(values.latency))) console.log(JSON.stringify(night));
