import { expect, test } from 'vitest';
import { profileNames } from '../../../src/domain/providers/profiles.ts';
import { makes } from './makes.ts';
import { providerContract } from './provider-contract.ts';

for (const [name, make] of Object.entries(makes)) providerContract(name, make);

test('every profile is played', () => {
  expect(new Set(Object.values(makes).map(({ profile }) => profile))).toEqual(new Set(profileNames));
});
