import { expect, test } from 'vitest';
import { isAppError } from '../../../src/errors.ts';
import { pageOf, pager } from '../../../src/web/paging.ts';

const list = ['a', 'b', 'c', 'd', 'e'];
const at = (query: string) => new URL(`https://nightkeep.example/list${query}`);
const words = {
  label: 'Pages',
  shown: (first: number, last: number, all: number) => `${first} to ${last} of ${all}`,
  previous: 'Previous',
  following: 'Next',
};
const linksOf = (query: string, size = 2) =>
  String(pager(pageOf(at(query), list, { size }), words, (to) => `?page=${to}`));

test('the first page is shown where the address asks for none, and the last one has what is left', () => {
  expect(pageOf(at(''), list, { size: 2 })).toEqual({ number: 1, items: ['a', 'b'], first: 1, last: 2, all: 5 });
  expect(pageOf(at('?page=3'), list, { size: 2 })).toEqual({ number: 3, items: ['e'], first: 5, last: 5, all: 5 });
});

test.each(['?page=4', '?page=0', '?page=-1', '?page=1.5', '?page=x', '?page=', '?page=99999999999'])(
  'there is no page %s of a list with three',
  (query) => {
    const asked = () => pageOf(at(query), list, { size: 2 });
    expect(asked).toThrow(expect.toSatisfy((error) => isAppError(error, 'request/not-found')));
  },
);

test('an empty list has one page', () => {
  expect(pageOf(at(''), [], { size: 2 })).toMatchObject({ number: 1, items: [] });
  expect(() => pageOf(at('?page=2'), [], { size: 2 })).toThrow();
});

test('a page links to those beside it, and to none where all fits on one', () => {
  const relations = (query: string, size?: number) =>
    [...linksOf(query, size).matchAll(/href="\?page=(\d)" rel="(\w+)"/g)].map(([, to, rel]) => `${rel} ${to}`);
  expect(relations('')).toEqual(['next 2']);
  expect(relations('?page=2')).toEqual(['prev 1', 'next 3']);
  expect(relations('?page=3')).toEqual(['prev 2']);
  expect(linksOf('?page=3')).toContain('5 to 5 of 5');
  expect(linksOf('', 5)).toBe('');
});
