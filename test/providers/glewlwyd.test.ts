import { describeWalk } from '../scenarios/walk.ts';
import { glewlwyd } from '../support/realms/glewlwyd.ts';
import { glewlwydProgram } from '../support/servers/glewlwyd.ts';
import { onProvider } from './on-provider.ts';

onProvider('Glewlwyd', glewlwydProgram === undefined ? undefined : glewlwyd, describeWalk);
