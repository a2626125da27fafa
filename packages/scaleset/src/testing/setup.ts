import { Secret } from '@baton/shared/config';
import { silentLogger } from '@baton/shared/telemetry';
import { FakeClock } from '@baton/testkit';
import { onTestFinished } from 'vitest';
import { parseConfigUrl } from '../config-url.ts';
import type { Credential } from '../credential.ts';
import { MessageQueueClient } from '../message-queue-client.ts';
import { ScaleSetClient } from '../scale-set-client.ts';
import { TokenSources } from '../token-source.ts';
import { GitHubTransport } from '../transport.ts';
import { aJwt, FakeGitHub, tenantPath } from './fake-github.ts';

export const minuteMs = 60_000;
export const scaleSetId = 7;
export const pat = 'ghp_very-secret';
export const registrationRoute = 'POST /api/v3/orgs/acme/actions/runners/registration-token';
export const registerRoute = 'POST /api/v3/actions/runner-registration';

/** A fake GitHub that lets a PAT for the organization acme in, and clients for it. */
export async function setUp() {
  const github = await FakeGitHub.start();
  const clock = new FakeClock();
  const transport = new GitHubTransport({
    clock,
    random: () => 0.5,
    log: silentLogger(),
    identity: { system: 'baton', version: '1.2.3', commitSha: 'abc', subsystem: 'test' },
  });
  onTestFinished(async () => {
    await transport.close();
    await github.close();
  });
  const credential: Credential = { kind: 'pat', token: new Secret(pat), hosts: [github.host] };
  const configUrl = parseConfigUrl(`${github.url}/acme`);
  const sources = new TokenSources(transport);
  const tokens = sources.get(configUrl, credential);
  const client = new ScaleSetClient({ transport, tokens });
  const queue = new MessageQueueClient({ transport, tokens, scaleSetId });
  github.on(registrationRoute, { status: 201, body: aRestToken('AREG', clock.now()) });
  github.on(registerRoute, aRegistration(github, clock.now()));
  return { github, clock, transport, sources, credential, configUrl, tokens, client, queue };
}

/** A token answer of the REST API, good for an hour. */
export function aRestToken(token: string, nowMs: number) {
  return { token, expires_at: new Date(nowMs + 60 * minuteMs).toISOString() };
}

/** An answer to runner-registration whose admin token lives for 20 minutes. */
export function aRegistration(github: FakeGitHub, nowMs: number, id = 'admin') {
  const token = aJwt(nowMs + 20 * minuteMs, id);
  return { body: { url: `${github.url}${tenantPath}/`, token } };
}

/** The body of a refusal by the Actions service. */
export function exception(name: string, message = 'm') {
  return { typeName: `GitHub.Actions.Runtime.WebApi.${name}`, message };
}

/** The route of an Actions service call, under the tenant URL. */
export function service(method: string, path: string): string {
  return `${method} ${tenantPath}/_apis/${path}`;
}

/** Lets real I/O go on until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 4_000;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`never became true: ${condition.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('was not rejected');
}
