import { join } from 'node:path';
import { alice, type Person } from '../../../demo/people.ts';
import type { DemoClient } from '../../../demo/provider/realm/client.ts';
import { markPlaces } from '../../../src/flows/keys/marks.ts';
import { backUp } from '../../../src/flows/nights/back-up.ts';
import { requestRun } from '../../../src/flows/nights/request-run.ts';
import { steerRun } from '../../../src/flows/nights/steer-run.ts';
import type { BackUpRequest } from '../../../src/queues/jobs.ts';
import { openProcessState, type Resources } from '../../../src/resources.ts';
import { listLocalPlaces, openLocalBackend } from '../../../src/store/backend/local.ts';
import { rememberingQueues } from '../fixtures/remembering-queues.ts';
import { cheapScryptCosts } from '../fixtures/repository.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { file, folder, type HostileWebdav, startHostileWebdav } from '../servers/hostile-webdav.ts';
import { type CustodyFixture, openCustodyFixture } from './custody.ts';

/** All of Nightkeep for people who consent: at the demo's provider, with their files, a store, and a queue that only remembers. */
export interface ConsentFixture extends AsyncDisposable {
  readonly custody: CustodyFixture;
  readonly resources: Resources;
  readonly files: HostileWebdav;
  /** Where the repositories lie. */
  readonly storeFolder: string;
  /** The client of Nightkeep at the provider, set up otherwise. */
  register(changes: Partial<DemoClient>): void;
  /** What was put into the queue since this was last asked. */
  taken(): BackUpRequest[];
  consent(person?: Person): ReturnType<CustodyFixture['consent']>;
  /** Somebody presses the button, and a worker of this process or another one works on the run; answers what came of it. */
  backUp(planId: string, worker?: Resources, random?: () => number): Promise<Run>;
  /** The same of a run that is there. */
  workOn(runId: string, worker?: Resources): Promise<Run>;
  /** The same Nightkeep from another process. */
  other(holder: string): Resources;
}

type Run = Awaited<ReturnType<Resources['database']['run']['findUniqueOrThrow']>>;

/** With `store`, repositories lie there instead of in a folder. */
export async function openConsentFixture({
  store,
  places,
}: Partial<Pick<Resources, 'store' | 'places'>> = {}): Promise<ConsentFixture> {
  await using opened = new AsyncDisposableStack();
  const custody = opened.use(await openCustodyFixture());
  const { path: storeFolder } = opened.use(await temporaryFolder('store'));
  // Apart from the repositories, which tests look at file by file.
  const { path: marksFolder } = opened.use(await temporaryFolder('marks'));
  const folderOf = (location: string) => (location.startsWith(markPlaces) ? marksFolder : storeFolder);
  const files = opened.use(
    await startHostileWebdav(folder({ 'a.txt': file('one'), sub: folder({ 'b.txt': file('two') }) })),
  );
  const requests: BackUpRequest[] = [];
  const { config } = custody.resources;
  const resources: Resources = {
    ...custody.resources,
    config: Object.assign(config, { filesUrl: files.url }),
    queues: rememberingQueues(requests),
    scrypt: cheapScryptCosts,
    store: store ?? ((location) => openLocalBackend(join(folderOf(location), location))),
    places: places ?? (() => Array.fromAsync(listLocalPlaces(storeFolder))),
    ...openProcessState(custody.resources),
  };
  const workOn = async (runId: string, worker = resources, random = Math.random) => {
    const { signal } = new AbortController();
    await steerRun(worker, { runId, signal }, (input) => backUp(worker, { ...input, random }));
    return worker.database.run.findUniqueOrThrow({ where: { id: runId } });
  };
  const closing = opened.move();
  return {
    custody,
    resources,
    files,
    storeFolder,
    register: (changes) => {
      const [secret = ''] = config.provider.secrets;
      const redirectUris = [new URL('callback', config.publicUrl).href];
      const client = { id: config.provider.clientId, name: 'Nightkeep', secret, redirectUris };
      custody.provider.admin.register({ ...client, authentication: 'client_secret_basic', ...changes });
    },
    taken: () => requests.splice(0),
    consent: (person = alice) => custody.consent(person),
    other: (holder) => ({ ...resources, ...custody.other(holder), store: resources.store }),
    backUp: async (planId, worker, random) =>
      workOn(await requestRun(resources, { planId, trigger: 'person' }), worker, random),
    workOn,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
