import { describeWalk } from '../scenarios/walk.ts';
import { spring } from '../support/realms/spring.ts';
import { springProgram } from '../support/servers/spring.ts';
import { onProvider } from './on-provider.ts';

const program = await springProgram();

onProvider('Spring Authorization Server', program === undefined ? undefined : spring(program), describeWalk);
