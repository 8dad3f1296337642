import { expect, test } from 'vitest';
import { decodePath } from '../../../src/web/snapshot.ts';

test('a path of a snapshot has as many as a thousand names, and no address more', () => {
  expect(decodePath('/a%2Fb//c')).toBe('a/b/c');
  expect(decodePath('/a'.repeat(1_000)).split('/')).toHaveLength(1_000);
  expect(() => decodePath('/a'.repeat(1_001))).toThrow(expect.objectContaining({ code: 'request/invalid' }));
  expect(() => decodePath('/%zz')).toThrow(expect.objectContaining({ code: 'request/invalid' }));
});
