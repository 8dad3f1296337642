import { html } from 'hono/html';
import { type IconName, icon } from './icons.ts';
import type { Html } from './layout.ts';
import type { Texts } from './texts/en.ts';
import { wordFor } from './texts/word.ts';

/** How well something is: each has a colour of its own, and never the colour alone. */
export type Tone = 'good' | 'warn' | 'bad' | 'calm';

interface Sign {
  readonly tone: Tone;
  readonly icon: IconName;
}

const signs: Readonly<Record<string, Sign>> = {
  succeeded: { tone: 'good', icon: 'check' },
  partial: { tone: 'warn', icon: 'dash' },
  failed: { tone: 'bad', icon: 'cross' },
  running: { tone: 'calm', icon: 'turning' },
  queued: { tone: 'calm', icon: 'dots' },
};

/** The sign of a state of a run. */
export function signOf(state: string): Sign {
  return signs[state] ?? { tone: 'calm', icon: 'ring' };
}

/** What a run came to: a word, a shape and a colour. */
export function outcome(state: string, texts: Texts): Html {
  const { tone, icon: shape } = signOf(state);
  return tag(wordFor(texts.states, state) ?? state, tone, shape);
}

/** A short word on how well something is. */
export function tag(words: string, tone: Tone, shape: IconName): Html {
  return html`<span class="tag ${tone}">${icon(shape)}${words}</span>`;
}
