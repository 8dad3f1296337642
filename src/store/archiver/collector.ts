/**
 * A buffer that nobody needs any more keeps its memory until the small object that owns it is collected, and V8 collects when
 * its own heap fills up, not when the buffers do: 64 MiB of them may pile up in each thread. So code that makes many reports
 * how many bytes it used, and the young objects, which are few, are collected every 8 MiB. Without
 * `--expose-gc`, which `npm start` gives, V8 decides alone.
 */
export function openCollector(): (bytes: number) => void {
  let passed = 0;
  return (bytes) => {
    passed += bytes;
    if (passed < every) return;
    passed = 0;
    globalThis.gc?.({ type: 'minor' });
  };
}

const every = 8 * 1024 * 1024;
