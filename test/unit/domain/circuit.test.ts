import { expect, test } from 'vitest';
import { areManyRefused, type LatestAnswer } from '../../../src/domain/circuit.ts';

const answers = (text: string): LatestAnswer[] => [...text].map((one) => (one === 'x' ? 'refused' : 'ok'));

test.each([
  ['x', false, 'one grant alone proves nothing of the provider'],
  ['xo', false, 'one of two'],
  ['xx', true, 'both of two'],
  ['xxo', false, 'two of three'],
  ['xxxo', true, 'three of four'],
  ['xxxooooooo', true, 'three of the last ten'],
  ['xxoooooooo', false, 'two of the last ten'],
  ['oooooooooo', false, 'none'],
])('%s is a jump: %s (%s)', (text, jump) => {
  expect(areManyRefused(answers(text))).toBe(jump);
});
