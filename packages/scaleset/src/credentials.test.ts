import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@baton/shared/errors';
import { captureLog, FakeClock, startTestSimulator } from '@baton/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Credentials } from './credentials.ts';
import { GitHubClients } from './github-clients.ts';
import { rejection } from './testing/setup.ts';

async function aFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'baton-credentials-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

function content(token: string, host = 'github.com'): string {
  return JSON.stringify({ credentials: { github: { type: 'pat', hosts: [host], token } } });
}

/** Credentials that follow a file, seen by a clock that stands still. */
async function aFollowedFile() {
  const file = join(await aFolder(), 'credentials.yaml');
  await writeFile(file, content('first'));
  const clock = new FakeClock();
  const { log, messages, lines } = captureLog();
  const credentials = new Credentials(file, log);
  const stop = new AbortController();
  const changes: number[] = [];
  const onChange = () => void changes.push(clock.now());
  const following = credentials.follow({ clock, signal: stop.signal, onChange });
  onTestFinished(async () => {
    stop.abort();
    await following;
  });
  const token = () => {
    const credential = credentials.get('github');
    return credential.kind === 'pat' ? credential.token.reveal() : undefined;
  };
  /** Long enough for a look at the file and for it to have come to rest. */
  const look = () => clock.advance(5_500);
  return { file, clock, credentials, messages, lines, changes, token, look };
}

describe('Credentials', () => {
  test('take over a changed file within seconds, and tell whom it concerns', async () => {
    const { file, token, look, changes, messages } = await aFollowedFile();
    await look();
    expect(changes).toHaveLength(0);

    await writeFile(file, content('second'));
    await look();

    expect(token()).toBe('second');
    expect(changes).toHaveLength(1);
    expect(messages).toContain('credentials changed');
  });

  test('keep what they have while the file cannot be used, say so once, and recover', async () => {
    const { file, token, look, messages, credentials, lines } = await aFollowedFile();

    await writeFile(file, 'credentials: {github: {type: pat, token: leaked-text');
    await look();
    await look();

    expect(token()).toBe('first');
    const told = 'credentials file cannot be used, keeping the old ones';
    expect(messages.filter((message) => message === told)).toHaveLength(1);
    expect(credentials.problem).toContain(`credentials file ${file} cannot be read`);
    expect(JSON.stringify(lines)).not.toContain('leaked-text');

    await writeFile(file, content('second'));
    await look();
    expect(token()).toBe('second');
    expect(credentials.problem).toBeUndefined();
  });

  test('a file that is being written counts when it has come to rest', async () => {
    const { file, clock, token } = await aFollowedFile();
    await writeFile(file, content('sec'));
    await clock.advance(5_000);
    await writeFile(file, content('second'));
    await clock.advance(200);
    expect(token()).toBe('first');

    await clock.advance(200);

    expect(token()).toBe('second');
  });

  test('a name that is gone is a configuration error that says where it belongs', async () => {
    const { credentials } = await aFollowedFile();

    expect(() => credentials.get('other')).toThrow(ConfigError);
    expect(() => credentials.get('other')).toThrow('is not in BATON_CREDENTIALS_FILE');
  });
});

describe('a token that is rotated in a mounted secret', () => {
  test('is used for the next call without a restart, and the session stays the same', async () => {
    await using sim = await startTestSimulator({ token: 'old-token', pollHoldMs: 50 });
    const dir = await aFolder();
    const file = join(dir, 'credentials.yaml');
    // As Kubernetes mounts it: token -> ..data/token, ..data -> ..<version>.
    await mountSecret(dir, 'v1', 'old-token');
    await symlink(join('..data', 'token'), join(dir, 'token'));
    const host = new URL(sim.configUrl).host;
    const entry = { type: 'pat', hosts: [host], tokenFile: join(dir, 'token') };
    await writeFile(file, JSON.stringify({ credentials: { github: entry } }));
    const clock = new FakeClock();
    const { log } = captureLog();
    const clients = GitHubClients.fromFile(file, {
      clock,
      random: () => 0.5,
      log,
      subsystem: 'test',
    });
    onTestFinished(() => clients.close());
    clients.followCredentials();
    const { client } = clients.get('github', sim.configUrl);
    const { id } = await client.createScaleSet({ name: 'web', runnerGroupId: 1, labels: [] });
    const session = await client.createSession(id, 'me');

    await mountSecret(dir, 'v2', 'new-token');
    await clock.advance(5_500);

    // The simulator still wants the old token: the refusal shows that the new one was sent.
    expect(await rejection(client.getScaleSet(id))).toMatchObject({ kind: 'unauthorized' });
    await mountSecret(dir, 'v3', 'old-token');
    await clock.advance(5_500);
    const resumed = await client.refreshSession(id, session.sessionId);
    expect(resumed.sessionId).toBe(session.sessionId);
  });
});

/** Swaps the link to a folder with a new version, as Kubernetes does. */
async function mountSecret(dir: string, version: string, token: string): Promise<void> {
  await mkdir(join(dir, `..${version}`));
  await writeFile(join(dir, `..${version}`, 'token'), token);
  await symlink(`..${version}`, join(dir, '..data_tmp'));
  await rename(join(dir, '..data_tmp'), join(dir, '..data'));
}
