import { html } from 'hono/html';
import type { Html } from './layout.ts';
import { notFound } from './visit.ts';

/** One page of a list that is known as a whole. */
export interface ListPage<Item> {
  /** From 1. */
  readonly number: number;
  readonly items: readonly Item[];
  /** The places of its first and last item in the list, from 1. */
  readonly first: number;
  readonly last: number;
  /** How many items the list has. */
  readonly all: number;
}

/** The page of the list that the address asks for. Throws `request/not-found` where there is none of that number. */
export function pageOf<Item>(
  url: URL,
  list: readonly Item[],
  { size, parameter = 'page' }: { size: number; parameter?: string },
): ListPage<Item> {
  const number = pageNumber(url, parameter);
  const from = (number - 1) * size;
  if (number > 1 && from >= list.length) throw notFound();
  const items = list.slice(from, from + size);
  return { number, items, first: from + 1, last: from + items.length, all: list.length };
}

/** The number of the page that the address asks for, from 1. Throws `request/not-found` for anything that is no such number. */
export function pageNumber({ searchParams }: URL, parameter = 'page'): number {
  const text = searchParams.get(parameter) ?? '1';
  if (!/^[1-9]\d{0,6}$/.test(text)) throw notFound();
  return Number(text);
}

interface PagerWords {
  /** What the links are for, read to those who do not see the page. */
  readonly label: string;
  /** Says which items the page has, of how many. */
  readonly shown: (first: number, last: number, all: number) => string;
  readonly previous: string;
  readonly following: string;
}

/** Which items a page has, and links to the pages before and after it; nothing where there is no other page. */
export function pager(
  { number, first, last, all }: ListPage<unknown>,
  { label, shown, previous, following }: PagerWords,
  addressOf: (number: number) => string,
): Html | '' {
  if (number === 1 && last === all) return '';
  const link = (to: number, rel: 'prev' | 'next', words: string) =>
    html`<a href="${addressOf(to)}" rel="${rel}">${words}</a>`;
  return html`<nav class="pager" aria-label="${label}"><span>${shown(first, last, all)}</span>
${number > 1 ? link(number - 1, 'prev', previous) : ''} ${last < all ? link(number + 1, 'next', following) : ''}</nav>`;
}
