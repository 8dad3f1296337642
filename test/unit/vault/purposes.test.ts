import { expect, test } from 'vitest';
import { purposes } from '../../../src/vault/purposes.ts';

const owner = { userId: 'user', grantId: 'grant' };

test('what is sealed in databases, spools and browsers keeps the purpose and the owner that it was sealed with', () => {
  expect([
    purposes.offlineToken(owner, 3),
    purposes.dpopKey(owner),
    purposes.repositoryPassword({ id: 'repository', userId: 'user', location: 'folder', store: null }),
    purposes.unboundRepositoryPassword('repository'),
    purposes.person({ id: 'user', issuer: 'i', subject: 's', username: null, claims: { b: 1, a: 'x' } }),
    purposes.plan({ userId: 'user', grantId: 'grant', sources: [{ url: 'https://a', kind: 'webdav', name: 'files' }] }),
    purposes.repositoryCard('folder'),
    purposes.recoveryKey('repository'),
    purposes.spooledAnswer('exchange'),
    purposes.exportedState('export', 2),
    purposes.canary('k1'),
    purposes.cookie('session'),
  ]).toEqual([
    { purpose: 'offline token', owner: 'user/grant/3' },
    { purpose: 'DPoP key', owner: 'user/grant' },
    { purpose: 'repository password', owner: '["repository","user","folder",null]' },
    { purpose: 'repository-password', owner: 'repository' },
    { purpose: 'person', owner: '["user","i","s",null,{"a":"x","b":1}]' },
    { purpose: 'plan', owner: '["user","grant",[{"kind":"webdav","name":"files","url":"https://a"}]]' },
    { purpose: 'repository card', owner: 'folder' },
    { purpose: 'recovery-key', owner: 'repository' },
    { purpose: 'spooled answer', owner: 'exchange' },
    { purpose: 'exported state', owner: 'export/2' },
    { purpose: 'canary', owner: 'k1' },
    { purpose: 'cookie session', owner: 'browser' },
  ]);
});
