import { describeDoctor } from '../scenarios/doctor.ts';
import { describeEndedConsent } from '../scenarios/ended-consent.ts';
import { describeFilesBySubject } from '../scenarios/files-by-subject.ts';
import { describeLeavers } from '../scenarios/leavers.ts';
import { describeRefusedClient } from '../scenarios/refused-client.ts';
import { describeTwoWorkers } from '../scenarios/rotation.ts';
import { describeWalk } from '../scenarios/walk.ts';
import { describeWithdrawal } from '../scenarios/withdrawal.ts';
import { lemonldap } from '../support/realms/lemonldap.ts';
import { lemonldapProgram } from '../support/servers/lemonldap.ts';
import { onProvider } from './on-provider.ts';

onProvider('LemonLDAP::NG', lemonldapProgram === undefined ? undefined : lemonldap, (provider) => {
  describeWalk(provider);
  describeTwoWorkers(provider, 'off', 5);
  describeEndedConsent(provider, 'an administrator deletes the consent');
  describeRefusedClient(provider);
  describeWithdrawal(provider, { revokes: false });
  describeFilesBySubject(provider);
  describeLeavers(provider, { fault: 'the person is deleted', goesOn: false, revokes: false });
  describeDoctor(provider);
});
