/** The host name of Nightkeep's snapshots, the same every night: stock restic groups by it, and a person's own have others. */
export const ownHostname = 'nightkeep';
