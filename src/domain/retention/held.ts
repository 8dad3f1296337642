/** Snapshots that did not go as agreed for so long are told of: until then the next night may let them go. */
export const heldTooLongMs = 3 * 86_400_000;
