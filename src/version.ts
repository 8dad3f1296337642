import manifest from '../package.json' with { type: 'json' };

/** Of Nightkeep, as package.json states it. */
export const version: string = manifest.version;
