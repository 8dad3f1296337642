import { expect, test } from 'vitest';
import { readErrorCode, readPage } from '../../../../src/store/backend/s3/s3-xml.ts';

test('an answer of elements in elements is none, and takes no time', async () => {
  const xml = '<a>'.repeat(5_000) + '<b/>'.repeat(5_000) + '</a>'.repeat(5_000);
  const page = Buffer.from(`<ListBucketResult>${xml}</ListBucketResult>`);
  const before = process.cpuUsage();
  expect(await readPage(page)).toBeUndefined();
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(200);
  expect(readErrorCode(Buffer.from(xml))).toBe('');
});

test('an answer as deep as those of servers are is read', async () => {
  const owner = '<Owner><ID>1</ID><DisplayName>me</DisplayName></Owner>';
  const xml = `<?xml version="1.0"?><ListBucketResult><Contents><Key>k</Key>${owner}<Size>3</Size></Contents></ListBucketResult>`;
  expect(await readPage(Buffer.from(xml))).toEqual({ files: [{ key: 'k', size: 3 }], prefixes: [] });
  expect(readErrorCode(Buffer.from('<Error><Code>NoSuchKey</Code></Error>'))).toBe('NoSuchKey');
});

test.each([
  '<ListBucketResult><Contents><Key>k</Key><Size>-1</Size></Contents></ListBucketResult>',
  '<ListBucketResult>',
  '',
  '<Error/>',
  '\0',
])('what is no whole listing is none: %j', async (xml) => {
  expect(await readPage(Buffer.from(xml))).toBeUndefined();
});

test('a long page is read in pieces, between which others have their turn, and is what it is at once', async () => {
  const keys = Array.from({ length: 5_000 }, (_, index) => `folder/${index} &amp; \u{1f319}`);
  const contents = keys.map((key, index) => `<Contents><Key>${key}</Key><Size>${index}</Size></Contents>`).join('');
  const page = Buffer.from(
    `<ListBucketResult><CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>${contents}<IsTruncated>true</IsTruncated><NextContinuationToken>n</NextContinuationToken></ListBucketResult>`,
  );
  let [turns, going] = [0, true];
  const look = () => {
    turns += 1;
    if (going) setImmediate(look);
  };
  look();
  const files = keys.map((key, size) => ({ key: key.replace('&amp;', '&'), size }));
  expect(await readPage(page)).toEqual({ files, prefixes: ['a/'], next: 'n' });
  going = false;
  expect(turns).toBeGreaterThanOrEqual(page.toString().length / 32_768 - 1);
});
