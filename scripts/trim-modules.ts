/** Removes from node_modules what no program of ours ever loads and takes a fifth of it all. */
import { globSync, rmSync } from 'node:fs';

const unused = [
  // C headers and manual pages beside the programs of Node.
  'node_modules/node-*/{include,share}',
  // Query compilers for other databases, and for speed at the price of size (see the generator in schema.prisma);
  // modules for `require`, and source maps.
  'node_modules/@prisma/client/runtime/query_compiler_*_bg.{cockroachdb,mysql,sqlite,sqlserver}.*',
  'node_modules/@prisma/client/runtime/query_compiler_fast_bg.*',
  'node_modules/@prisma/client/runtime/query_compiler_small_bg.*.js',
  'node_modules/@prisma/client/runtime/wasm-compiler-edge.*',
  'node_modules/@prisma/client/runtime/*.map',
  // What redis-info does not load of lodash: all but one file of it; and source maps of Bull Board.
  'node_modules/lodash/{*.js,fp}',
  'node_modules/@bull-board/*/dist/**/*.map',
  // Modules for `require` and source maps of OpenTelemetry, and names that it may give things one day.
  'node_modules/@opentelemetry/!(api)/dist/**/*.{cjs,d.cts,map}',
  'node_modules/@opentelemetry/api/dist/**/*.map',
  'node_modules/@opentelemetry/semantic-conventions/dist/{experimental_*,index-incubating*}',
  // Libraries for other platforms.
  'node_modules/sodium-native/prebuilds/*',
];
const needed = [`**/prebuilds/${process.platform}-${process.arch}`, '**/lodash/lodash.js'];

for (const path of globSync(unused, { exclude: needed })) rmSync(path, { recursive: true });
