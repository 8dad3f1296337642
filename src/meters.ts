import { Counter, Histogram, Registry } from 'prom-client';

/** What this process has done since it started, for `/metrics`: counters that only rise. Nothing of one person. */
export interface Meters {
  /** A run that this process ended; `seconds` is the time of its last try. */
  runEnded(run: {
    result: 'succeeded' | 'partial' | 'failed';
    seconds: number;
    bytesRead: number;
    bytesAdded: number;
    warnings: number;
  }): void;
  /** A token exchange that was judged. */
  exchanged(exchange: { provider: string; verdict: string }): void;
  /** A grant whose rotated token was lost, found out now. */
  rotationLost(): void;
  /** All of it in the Prometheus text format. */
  text(): Promise<string>;
}

/** From ten seconds to four hours. */
const buckets = [10, 30, 60, 180, 600, 1_800, 3_600, 7_200, 14_400];

/** The counters of this process, all at zero. */
export function openMeters(): Meters {
  const registers = [new Registry()];
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `nightkeep_${name}`, help, labelNames, registers });
  const runs = counter('run_total', 'Runs that this process ended, by result', ['result']);
  const duration = new Histogram({
    name: 'nightkeep_run_duration_seconds',
    help: 'How long the last attempts of these runs took',
    buckets,
    registers,
  });
  const read = counter('bytes_read_total', 'Bytes that runs received from WebDAV servers');
  const added = counter('bytes_added_total', 'Bytes that runs added to repositories');
  const warnings = counter('item_warnings_total', 'Files and folders that runs could not read as they are');
  const exchanges = counter('token_exchange_total', 'Token exchanges by this process, by verdict', [
    'provider',
    'verdict',
  ]);
  const lost = counter('rotation_lost_total', 'Grants whose rotated token was lost; must stay 0');
  for (const result of ['succeeded', 'partial', 'failed']) runs.inc({ result }, 0);
  return {
    runEnded: ({ result, seconds, bytesRead, bytesAdded, warnings: missed }) => {
      runs.inc({ result });
      duration.observe(seconds);
      read.inc(bytesRead);
      added.inc(bytesAdded);
      warnings.inc(missed);
    },
    exchanged: (exchange) => exchanges.inc(exchange),
    rotationLost: () => lost.inc(),
    text: async () => (await Promise.all(registers.map((registry) => registry.metrics()))).join('\n'),
  };
}
