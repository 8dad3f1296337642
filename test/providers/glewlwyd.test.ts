import { describe } from 'vitest';
import { describeDoctor } from '../scenarios/doctor.ts';
import { describeEndedConsent } from '../scenarios/ended-consent.ts';
import { describeFilesBySubject } from '../scenarios/files-by-subject.ts';
import { describeLeavers } from '../scenarios/leavers.ts';
import { describeAnswersOfOneUse } from '../scenarios/lost-answers.ts';
import { describeRefusedClient, describeRefusedClientOfOneUse } from '../scenarios/refused-client.ts';
import { describeTwoWorkers } from '../scenarios/rotation.ts';
import { describeWalk } from '../scenarios/walk.ts';
import { describeWithdrawal } from '../scenarios/withdrawal.ts';
import { glewlwyd } from '../support/realms/glewlwyd.ts';
import { glewlwydProgram } from '../support/servers/glewlwyd.ts';
import { onProvider } from './on-provider.ts';

onProvider('Glewlwyd', glewlwydProgram === undefined ? undefined : glewlwyd, (provider) => {
  describeWalk(provider);
  describeEndedConsent(provider, 'the person removes access in the account console');
  describeRefusedClient(provider);
  describeWithdrawal(provider, { revokes: true });
  describeFilesBySubject(provider);
  describeLeavers(provider, { fault: 'the person is disabled', goesOn: true, revokes: true });
  describeDoctor(provider);
  describe('whose refresh tokens serve once, and end with all that came of them when they come again', () => {
    describeTwoWorkers(provider, { reuse: 0 }, 5);
    describeAnswersOfOneUse(provider);
    describeRefusedClientOfOneUse(provider);
  });
});
