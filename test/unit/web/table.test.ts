import { html } from 'hono/html';
import { describe, expect, it } from 'vitest';
import { outcome } from '../../../src/web/outcome.ts';
import { table } from '../../../src/web/table.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { wordFor } from '../../../src/web/texts/word.ts';

describe('a table', () => {
  const columns = [{ label: 'Name' }, { label: 'Size', kind: 'number' }] as const;
  const text = String(table({ caption: 'Files <all>', columns, rows: [[html`<b>a</b>`, 5]] }));

  it('has a caption, and names the column of each cell for narrow screens', () => {
    expect(text).toContain('<caption>Files &lt;all&gt;</caption>');
    expect(text).toContain('<td role="cell" class="number" data-label="Size"><span>5</span></td>');
  });

  it('keeps the roles of rows and cells where its style shows them as blocks', () => {
    expect(text.match(/role="(row|cell|columnheader)"/g)).toHaveLength(6);
  });
});

describe('an outcome', () => {
  it('is told by a shape that differs from one to the next, and by a word', () => {
    const shapes = ['succeeded', 'partial', 'failed', 'running', 'queued', 'cancelled'].map((state) => {
      const text = String(outcome(state, texts));
      expect(text).toContain(`${wordFor(texts.states, state)}</span>`);
      return /<svg.*<\/svg>/.exec(text)?.[0];
    });
    expect(new Set(shapes).size).toBe(6);
  });
});
