import { describe, expect, test } from 'vitest';
import { parseStoreAddress, storeUrl } from '../../../src/domain/store-address.ts';

describe('the address of a store', () => {
  test.each([
    ['file:///srv/store', { kind: 'folder', folder: '/srv/store' }],
    ['file:///srv/store%232%3F', { kind: 'folder', folder: '/srv/store#2?' }],
    [
      's3://bucket/some/prefix/?endpoint=https://minio.example:9000&region=eu-1',
      {
        kind: 's3',
        endpoint: 'https://minio.example:9000',
        region: 'eu-1',
        bucket: 'bucket',
        prefix: 'some/prefix',
        style: 'path',
      },
    ],
    [
      's3://my.bucket?region=eu-central-1',
      {
        kind: 's3',
        endpoint: 'https://s3.eu-central-1.amazonaws.com',
        region: 'eu-central-1',
        bucket: 'my.bucket',
        prefix: '',
        style: 'virtual',
      },
    ],
    [
      's3://Bucket_1/x?endpoint=s3.example&style=virtual',
      {
        kind: 's3',
        endpoint: 'https://s3.example',
        region: 'us-east-1',
        bucket: 'Bucket_1',
        prefix: 'x',
        style: 'virtual',
      },
    ],
    [
      'rest:https://nightkeep@rest.example:8000/some/prefix/',
      { kind: 'rest', origin: 'https://rest.example:8000', user: 'nightkeep', prefix: 'some/prefix' },
    ],
    ['rest:http://[::1]:8000', { kind: 'rest', origin: 'http://[::1]:8000', user: '', prefix: '' }],
  ])('%s is read, and written so that it is read the same', (text, address) => {
    expect(parseStoreAddress(text)).toEqual(address);
    expect(parseStoreAddress(storeUrl(parseStoreAddress(text)))).toEqual(address);
  });

  test.each([
    ['https://bucket', /must begin with file:\/\/, s3:\/\/ or rest:https:\/\//],
    ['file:store', /no folder of this machine: write it as file:\/\/\/srv/],
    ['file:../store', /no folder of this machine/],
    ['file://store/of/ours', /no folder of this machine/],
    ['file:///srv/store#2', /%3F and %23/],
    ['file:///srv/store?style=path', /%3F and %23/],
    ['s3://', /names no bucket/],
    ['s3://bucket:9000', /names no bucket/],
    ['s3://id:secret@bucket', /must not hold keys/],
    ['s3://bucket/a%20b', /prefix of other characters/],
    ['s3://bucket?style=both', /neither path nor virtual/],
    ['s3://bucket?endpoint=https://x/path', /endpoint that is no server/],
    ['s3://bucket?endpoint=ftp://x', /endpoint that is no server/],
    ['s3://bucket?secret=x', /the parameter "secret"/],
    ['s3://bucket?region=a/b', /region that is no name/],
    ['rest:rest.example/x', /names no server: write it as rest:https:/],
    ['rest:ftp://rest.example/x', /names no server/],
    ['rest:https://user:secret@rest.example/', /must not hold a password: put it into STORE_KEYS/],
    ['rest:https://a%3Ab@rest.example/', /user of other characters/],
    ['rest:https://rest.example/a%20b/', /prefix of other characters/],
    ['rest:https://rest.example/people/data/', /the prefix "data", which servers take for a part of a repository/],
    ['rest:https://rest.example/?create=true', /a query or a fragment/],
  ])('%s is refused with the cure', (text, words) => {
    expect(() => parseStoreAddress(text)).toThrow(words);
  });

  test('of a REST server is as stock restic takes it', () => {
    const address = parseStoreAddress('rest:https://nightkeep@rest.example/x');
    expect(storeUrl(address)).toBe('rest:https://nightkeep@rest.example/x/');
  });

  test('has no dots that climb out of the bucket', () => {
    expect(parseStoreAddress('s3://bucket/../x/./y/..')).toMatchObject({ prefix: 'x' });
  });
});
