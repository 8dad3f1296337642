import { bytesWords } from '../count-words.ts';
import { speedOf } from '../domain/run-progress.ts';
import { minuteMs } from '../durations.ts';

/** Bytes, and how fast they came: "1.2 GiB at 40 MiB a second". */
export function flowWords(flow: { bytesRead: number; ms: number }): string {
  const speed = speedOf(flow);
  return `${bytesWords(flow.bytesRead)}${speed === undefined ? '' : ` at ${bytesWords(speed)} a second`}`;
}

/** How long it still takes, in milliseconds; nothing where that is not known. */
export function leftWords(left: number | undefined): string[] {
  if (left === undefined) return [];
  return [left < minuteMs ? 'less than a minute left' : `about ${Math.round(left / minuteMs)} min left`];
}
