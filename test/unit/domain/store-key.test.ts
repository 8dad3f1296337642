import { expect, test } from 'vitest';
import { parseStoreAddress } from '../../../src/domain/store-address.ts';
import { findStoreKey, lackOfKey, type StoreKey } from '../../../src/domain/store-key.ts';

const keys: StoreKey[] = [
  { id: 'general', secret: 'of every bucket' },
  { only: 'special', id: 'other', secret: 'of one bucket' },
  { id: 'nightkeep', secret: 'of every server' },
  { only: 'rest.example:8000', id: 'nightkeep', secret: 'of one server' },
  { only: 'rest.example', id: 'somebody', secret: 'of somebody else' },
];

const remote = (text: string) => {
  const address = parseStoreAddress(text);
  if (address.kind === 'folder') throw new Error('It is no server.');
  return address;
};

test.each([
  ['s3://bucket', 'of every bucket'],
  ['s3://special', 'of one bucket'],
  ['rest:https://nightkeep@rest.example:8000/', 'of one server'],
  ['rest:https://nightkeep@rest.example/', 'of every server'],
  ['rest:https://somebody@rest.example/', 'of somebody else'],
  ['rest:https://somebody@rest.example:8000/', undefined],
  ['rest:https://rest.example/', undefined],
])('%s is opened with the key %s', (text, secret) => {
  expect(findStoreKey(remote(text), keys)?.secret).toBe(secret);
});

test.each([
  ['s3://bucket', 'has no key for the bucket bucket: add a line "bucket ID SECRET"'],
  [
    'rest:https://nightkeep@rest.example:8000/x/',
    'has no password for nightkeep at rest.example:8000: add a line "rest.example:8000 nightkeep PASSWORD"',
  ],
  ['rest:https://rest.example/', undefined],
])('what is lacking for %s is said with the cure', (text, words) => {
  expect(lackOfKey(remote(text), [])).toBe(words);
  expect(lackOfKey(remote('s3://bucket'), keys)).toBeUndefined();
});
