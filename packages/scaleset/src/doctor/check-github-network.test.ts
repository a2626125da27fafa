import { Secret } from '@baton/shared/config';
import type { Finding } from '@baton/shared/contracts';
import { startPrivateGitHub } from '@baton/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { NetworkSettings } from '../network.ts';
import { clientsFor } from '../testing/private-network.ts';
import { checkGitHub } from './check-github.ts';

const signal = new AbortController().signal;

function wrong(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ outcome }) => outcome !== 'ok');
}

describe('checkGitHub behind a proxy, with a private authority', () => {
  async function findingsFor(changed: (proxyUrl: URL) => NetworkSettings): Promise<Finding[]> {
    const github = await startPrivateGitHub();
    onTestFinished(() => github[Symbol.asyncDispose]());
    const { clients } = clientsFor(github, changed(new URL(github.proxyUrl)));
    const { configUrl } = github;
    const linux = { name: 'linux', configUrl, credential: 'github', group: 'default', labels: [] };
    return await checkGitHub(clients, [linux], { scaleSets: false, signal });
  }

  test('all is well, and the proxy is named without its password', async () => {
    const findings = await findingsFor(() => ({}));

    expect(wrong(findings)).toEqual([]);
    expect(findings.map(({ text }) => text).join()).toMatch(/through http:\/\/127\.0\.0\.1:\d+/);
    expect(JSON.stringify(findings)).not.toContain('proxy-password');
  });

  test('a proxy that refuses the login', async () => {
    const findings = await findingsFor((url) => ({
      httpsProxyUpper: new Secret(Object.assign(url, { password: 'wrong' }).href),
    }));

    expect(wrong(findings)).toMatchObject([{ check: 'connection', outcome: 'failed' }]);
    expect(wrong(findings)[0]?.text).toContain(
      'wants a login (HTTP 407): set the right user and password in HTTPS_PROXY',
    );
  });

  test('an authority that is not trusted', async () => {
    const findings = await findingsFor(() => ({ caFile: undefined }));

    expect(wrong(findings)).toMatchObject([{ check: 'connection', outcome: 'failed' }]);
    expect(wrong(findings)[0]?.text).toContain('set BATON_CA_FILE to a PEM file');
  });
});
