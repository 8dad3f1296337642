interface Compiler {
  compile(request: string): unknown;
  compileBatch(request: string): unknown;
}

/** What Prisma's client needs to compile queries. */
interface CompilerRuntime {
  readonly QueryCompiler: new (options: object) => Compiler;
}

/**
 * The same with one compiler, and one memory of what it compiled, for all clients of this process; vitest.config.ts puts it into the
 * client. Each test opens a client or more, and each would read the schema and compile its queries anew: a tenth of what tests cost.
 */
export function sharingCompilers(runtime: CompilerRuntime): CompilerRuntime {
  const compilers = new Map<string, Compiler>();
  const compilerFor = (options: object) => {
    const key = JSON.stringify(options);
    const compiler = compilers.get(key) ?? remembering(new runtime.QueryCompiler(options));
    compilers.set(key, compiler);
    return compiler;
  };
  class SharedCompiler {
    readonly compile: Compiler['compile'];
    readonly compileBatch: Compiler['compileBatch'];

    constructor(options: object) {
      ({ compile: this.compile, compileBatch: this.compileBatch } = compilerFor(options));
    }

    /** Another client may use it. */
    free(): void {}
  }
  return { ...runtime, QueryCompiler: SharedCompiler };
}

/** As many as Prisma itself keeps for each client. */
const mostPlans = 1_000;

/** What is compiled depends on nothing but the request, and Prisma too uses a plan for many executions. */
function remembering(compiler: Compiler): Compiler {
  return {
    compile: remembered((request) => compiler.compile(request)),
    compileBatch: remembered((request) => compiler.compileBatch(request)),
  };
}

function remembered(compile: (request: string) => unknown): (request: string) => unknown {
  const plans = new Map<string, unknown>();
  return (request) => {
    const plan = plans.get(request) ?? compile(request);
    plans.delete(request);
    plans.set(request, plan);
    const [oldest] = plans.keys();
    if (plans.size > mostPlans && oldest !== undefined) plans.delete(oldest);
    return plan;
  };
}
