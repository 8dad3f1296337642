import { expect, test } from 'vitest';
import { readErrorCode, readPage } from '../../../../src/store/backend/s3/s3-xml.ts';

/** Milliseconds of this process's processor that the work takes. */
function processorMs(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

test('an answer of elements in elements is none, and takes no time', () => {
  const xml = '<a>'.repeat(5_000) + '<b/>'.repeat(5_000) + '</a>'.repeat(5_000);
  const page = Buffer.from(`<ListBucketResult>${xml}</ListBucketResult>`);
  expect(processorMs(() => expect(readPage(page)).toBeUndefined())).toBeLessThan(200);
  expect(readErrorCode(Buffer.from(xml))).toBe('');
});

test('an answer as deep as those of servers are is read', () => {
  const owner = '<Owner><ID>1</ID><DisplayName>me</DisplayName></Owner>';
  const xml = `<?xml version="1.0"?><ListBucketResult><Contents><Key>k</Key>${owner}<Size>3</Size></Contents></ListBucketResult>`;
  expect(readPage(Buffer.from(xml))).toEqual({ files: [{ key: 'k', size: 3 }], prefixes: [] });
  expect(readErrorCode(Buffer.from('<Error><Code>NoSuchKey</Code></Error>'))).toBe('NoSuchKey');
});

test.each([
  '<ListBucketResult><Contents><Key>k</Key><Size>-1</Size></Contents></ListBucketResult>',
  '<ListBucketResult>',
  '',
  '<Error/>',
  '\0',
])('what is no whole listing is none: %j', (xml) => {
  expect(readPage(Buffer.from(xml))).toBeUndefined();
});
