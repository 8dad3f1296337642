import { dayMs } from '../../durations.ts';

/** Operators are notified once snapshots have not gone as agreed for this long: until then the next night may remove them. */
export const heldTooLongMs = 3 * dayMs;
