import { describeDoctor } from '../scenarios/doctor.ts';
import { describeEndedConsent } from '../scenarios/ended-consent.ts';
import { describeFilesBySubject } from '../scenarios/files-by-subject.ts';
import { describeLeavers } from '../scenarios/leavers.ts';
import { describeAnswersOfOneUse } from '../scenarios/lost-answers.ts';
import { describeRefusedClient } from '../scenarios/refused-client.ts';
import { describeTwoWorkers } from '../scenarios/rotation.ts';
import { describeWalk } from '../scenarios/walk.ts';
import { describeWithdrawal } from '../scenarios/withdrawal.ts';
import { spring } from '../support/realms/spring.ts';
import { springProgram } from '../support/servers/spring.ts';
import { onProvider } from './on-provider.ts';

const program = await springProgram();

onProvider('Spring Authorization Server', program === undefined ? undefined : spring(program), (provider) => {
  describeWalk(provider);
  describeTwoWorkers(provider, { reuse: 0 }, 5);
  describeAnswersOfOneUse(provider);
  describeEndedConsent(provider, 'an administrator deletes the consent');
  describeRefusedClient(provider);
  describeWithdrawal(provider, { revokes: true });
  describeFilesBySubject(provider);
  describeLeavers(provider, { fault: 'the person is disabled', goesOn: true, revokes: true });
  describeDoctor(provider);
});
