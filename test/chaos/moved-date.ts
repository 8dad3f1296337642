/**
 * Loaded before a process of Nightkeep (`--import`): its clock goes by the file that CHAOS_CLOCK names, and CHAOS_SKEW milliseconds
 * wrong. All that asks what time it is asks `Date`: Nightkeep's own clock, the queue, the signatures of S3. Durations stay real.
 */
import { readFileSync } from 'node:fs';

const { CHAOS_CLOCK: file = '', CHAOS_SKEW: skew = '0' } = process.env;
const readMs = () => Number(readFileSync(file, 'utf8')) + Number(skew);
const RealDate = Date;
const now = RealDate.now;
let movedMs = readMs();
setInterval(() => {
  movedMs = readMs();
}, 50).unref();

globalThis.Date = new Proxy(RealDate, {
  construct: (target, words, made) => Reflect.construct(target, words.length === 0 ? [now() + movedMs] : words, made),
  apply: () => new RealDate(now() + movedMs).toString(),
});
RealDate.now = () => now() + movedMs;
