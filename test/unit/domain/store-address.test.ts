import { describe, expect, test } from 'vitest';
import { parseStoreAddress, storeUrl } from '../../../src/domain/store-address.ts';

describe('the address of a store', () => {
  test.each([
    ['file:///srv/store', { kind: 'folder', folder: '/srv/store' }],
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
  ])('%s is read, and written so that it is read the same', (text, address) => {
    expect(parseStoreAddress(text)).toEqual(address);
    expect(parseStoreAddress(storeUrl(parseStoreAddress(text)))).toEqual(address);
  });

  test.each([
    ['https://bucket', /must begin with file:\/\/ or s3:\/\//],
    ['s3://', /names no bucket/],
    ['s3://bucket:9000', /names no bucket/],
    ['s3://id:secret@bucket', /must not hold keys/],
    ['s3://bucket/a%20b', /prefix of other characters/],
    ['s3://bucket?style=both', /neither path nor virtual/],
    ['s3://bucket?endpoint=https://x/path', /endpoint that is no server/],
    ['s3://bucket?endpoint=ftp://x', /endpoint that is no server/],
    ['s3://bucket?secret=x', /the parameter "secret"/],
    ['s3://bucket?region=a/b', /region that is no name/],
  ])('%s is refused with the cure', (text, words) => {
    expect(() => parseStoreAddress(text)).toThrow(words);
  });

  test('has no dots that climb out of the bucket', () => {
    expect(parseStoreAddress('s3://bucket/../x/./y/..')).toMatchObject({ prefix: 'x' });
  });
});
