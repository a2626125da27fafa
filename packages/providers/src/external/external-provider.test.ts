import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { controllerIdOf, poolIdOf } from './identity.ts';
import { aNamedRequest, jitText, MisbehavingBench, token } from './testing/external-bench.ts';

const { signal } = new AbortController();
const name = 'linux-conformance-abc23';
const made = JSON.stringify({ provider_id: 'i-1', name, status: 'running' });
const absent = { exitCode: 30, stderr: 'no such instance' };
/** Processes start slowly while the machine is busy. */
const timeout = 30_000;

let bench: MisbehavingBench;
beforeAll(async () => {
  bench = await MisbehavingBench.start();
});
beforeEach(async () => {
  await bench.behave({ GetInstance: absent, CreateInstance: { stdout: made } });
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

/** Whether the process is there and runs. */
function runs(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
}

describe('create', { timeout }, () => {
  test('gives the executable exactly the protocol, on its input and in its environment', async () => {
    const env = { PATH: '/bin', AWS_REGION: 'eu', BATON_NATS_PASSWORD: 'hunter2' };
    const provider = await bench.provider({ environmentVariables: ['AWS_'] }, { env });

    const { instanceId } = await provider.create(aNamedRequest(), signal);

    expect(instanceId).toBe(`set-1/${name}/i-1`);
    const called = await bench.calledWith('CreateInstance');
    const poolId = poolIdOf('conformance', 'set-1');
    expect(called.env).toEqual({
      AWS_REGION: 'eu',
      GARM_COMMAND: 'CreateInstance',
      GARM_CONTROLLER_ID: controllerIdOf('conformance'),
      GARM_POOL_ID: poolId,
      GARM_PROVIDER_CONFIG_FILE: bench.definition.configFile,
      GARM_INTERFACE_VERSION: 'v0.1.0',
    });
    const input = JSON.parse(called.stdin) as {
      extra_specs: { runner_install_template: string };
    };
    expect(input).toMatchObject({
      name,
      repo_url: 'https://github.com/acme',
      'callback-url': 'https://b/callbacks',
      'metadata-url': 'https://b/metadata',
      'instance-token': token,
      labels: null,
      pool_id: poolId,
      jit_config_enabled: true,
    });
    const template = Buffer.from(input.extra_specs.runner_install_template, 'base64').toString();
    expect(template).toContain("token='{{ .CallbackToken }}'");
    expect(called.stdin).not.toContain(jitText);
  });

  test('takes up an instance that is there already, and issues nothing for it', async () => {
    await bench.behave({ GetInstance: { stdout: made }, CreateInstance: { exitCode: 1 } });
    const provider = await bench.provider();
    const before = bench.issued.length;

    expect(await provider.create(aNamedRequest(), signal)).toEqual({
      instanceId: `set-1/${name}/i-1`,
    });
    expect(bench.issued).toHaveLength(before);
  });

  test.each([{ exitCode: 31 }, { exitCode: 1, stderr: 'pods "x" already exists' }])(
    'says what is wrong when an instance exists (%o) and cannot be found',
    async (duplicate) => {
      await bench.behave({ GetInstance: absent, CreateInstance: duplicate });
      const provider = await bench.provider();

      await expect(provider.create(aNamedRequest(), signal)).rejects.toThrow('says that it exists');
    },
  );

  test('tells the end of what the executable wrote, without token and JIT config', async () => {
    const stderr = `quota exceeded for ${token} and ${jitText}`;
    await bench.behave({ GetInstance: absent, CreateInstance: { exitCode: 1, stderr } });
    const provider = await bench.provider();

    await expect(provider.create(aNamedRequest(), signal)).rejects.toMatchObject({
      class: 'quota',
      message: 'CreateInstance ended with exit code 1: quota exceeded for [secret] and [secret]',
    });
  });

  test.each([
    ['', 'stdout is not JSON'],
    ['{"provider_id":"i"}', 'name'],
    ['{"provider_id":"i","name":"other","status":"running"}', 'it is about other'],
  ])('refuses the answer %j', async (stdout, problem) => {
    await bench.behave({ GetInstance: absent, CreateInstance: { stdout } });
    const provider = await bench.provider();

    await expect(provider.create(aNamedRequest(), signal)).rejects.toThrow(problem);
  });

  test('creates no more than maxInstances', async () => {
    await bench.behave({
      GetInstance: absent,
      CreateInstance: { stdout: made },
      ListInstances: { stdout: `[${made}]` },
    });
    const provider = await bench.provider({ maxInstances: 1 });

    await expect(provider.create(aNamedRequest('other'), signal)).rejects.toMatchObject({
      class: 'quota',
    });
  });

  test('is a bug for a runner that is not named by this installation', async () => {
    const provider = await bench.provider();
    const request = { ...aNamedRequest(), runnerName: 'linux-other-abc23' };

    await expect(provider.create(request, signal)).rejects.toMatchObject({ class: 'bug' });
  });
});

describe('an executable', { timeout }, () => {
  test.each(['hang', 'hang-with-grandchild'])(
    'that does %s is killed with its whole group',
    async (act) => {
      await bench.behave({ ListInstances: { act } });
      const provider = await bench.provider({ execTimeoutMs: 3_000 });

      await expect(provider.list(signal)).rejects.toMatchObject({ code: 'timeout' });

      const { pid, grandchild } = await bench.calledWith('ListInstances');
      await eventually(() => expect([runs(pid), runs(grandchild)]).toEqual([false, false]));
    },
  );

  test('is killed when the caller gives up', async () => {
    await bench.behave({ ListInstances: { act: 'hang' } });
    const provider = await bench.provider();
    const caller = new AbortController();

    const listing = provider.list(caller.signal);
    setTimeout(() => caller.abort(new Error('gave up')), 1_000);

    await expect(listing).rejects.toThrow('gave up');
  });

  test('whose grandchild keeps stdout open is not waited for', async () => {
    await bench.behave({ ListInstances: { act: 'leave-grandchild', stdout: `[${made}]` } });
    const provider = await bench.provider();

    expect(await provider.list(signal)).toHaveLength(1);
    const { grandchild } = await bench.calledWith('ListInstances');
    expect(runs(grandchild)).toBe(true);
    process.kill(grandchild);
  });

  test.each(['stdout', 'stderr'])('that floods %s is killed', async (stream) => {
    await bench.behave({ ListInstances: { act: `flood-${stream}` } });
    const provider = await bench.provider({ maxOutputBytes: 100_000 });

    await expect(provider.list(signal)).rejects.toThrow(`more than 100000 bytes to ${stream}`);
    const { pid } = await bench.calledWith('ListInstances');
    await eventually(() => expect(runs(pid)).toBe(false));
  });

  test('that is killed by somebody else has failed', async () => {
    await bench.behave({ ListInstances: { act: 'die', stderr: 'out of memory' } });
    const provider = await bench.provider();

    await expect(provider.list(signal)).rejects.toThrow('ListInstances was killed: out of memory');
  });

  test('never shows its variables in an error', async () => {
    await bench.behave({ ListInstances: { exitCode: 1, stderr: 'bad key AKIA-hunter2' } });
    const env = { AWS_SECRET: 'AKIA-hunter2' };
    const provider = await bench.provider({ environmentVariables: ['AWS_'] }, { env });

    await expect(provider.list(signal)).rejects.toThrow('bad key [secret]');
  });
});

describe('list', { timeout }, () => {
  test('asks for every scale set, and shows each instance once', async () => {
    await bench.behave({ ListInstances: { stdout: `[${made}]` } });
    const scaleSets = () => Promise.resolve([{ id: 'set-1' }, { id: 'set-2' }]);
    const provider = await bench.provider({}, { scaleSets });

    expect(await provider.list(signal)).toMatchObject([{ runnerId: 'abc23', scaleSetId: 'set-1' }]);
  });

  test('is whole or none: an element that cannot be understood is named', async () => {
    await bench.behave({ ListInstances: { stdout: `[${made},{"name":"x","status":"running"}]` } });
    const provider = await bench.provider();

    await expect(provider.list(signal)).rejects.toThrow('at [1].provider_id');
  });

  test('keeps the moment when it saw an instance first', async () => {
    await bench.behave({ ListInstances: { stdout: `[${made}]` } });
    const provider = await bench.provider();

    const [first] = await provider.list(signal);
    const [second] = await provider.list(signal);

    expect(second?.createdAt).toBe(first?.createdAt);
  });
});

describe('delete', { timeout }, () => {
  test('takes exit code 30 as done, and any other as what it is', async () => {
    const provider = await bench.provider();
    await bench.behave({ DeleteInstance: absent });
    await provider.delete(`set-1/${name}/i-1`, signal);
    await bench.behave({ DeleteInstance: { exitCode: 1, stderr: 'access denied' } });

    await expect(provider.delete(`set-1/${name}/i-1`, signal)).rejects.toMatchObject({
      class: 'denied',
    });
  });

  test('says the provider’s id, or the name while it is not known', async () => {
    const provider = await bench.provider();
    await provider.delete(`set-1/${name}/i/1`, signal);
    const byId = await bench.calledWith('DeleteInstance');
    await provider.delete(`set-1/${name}/`, signal);
    const byName = await bench.calledWith('DeleteInstance');

    expect(byId.env.GARM_INSTANCE_ID).toBe('i/1');
    expect(byName.env.GARM_INSTANCE_ID).toBe(name);
    expect(byId.env).not.toHaveProperty('GARM_POOL_ID');
  });

  test('sends the pool and its extra specs with v0.1.1, also for a scale set that is gone', async () => {
    const settings = { extraSpecs: { region: 'eu' } };
    const scaleSets = () => Promise.resolve([{ id: 'set-1', settings }]);
    const definition = { interfaceVersion: 'v0.1.1', allowedSettings: ['extraSpecs'] };
    const provider = await bench.provider(definition, { scaleSets });
    const specsOf = async (scaleSetId: string) => {
      await provider.delete(`${scaleSetId}/${name}/i-1`, signal);
      const { env } = await bench.calledWith('DeleteInstance');
      expect(env.GARM_POOL_ID).toBe(poolIdOf('conformance', scaleSetId));
      return Buffer.from(env.GARM_POOL_EXTRASPECS ?? '', 'base64').toString();
    };

    expect(await specsOf('set-1')).toBe('{"region":"eu"}');
    expect(await specsOf('gone')).toBe('null');
  });
});

test('extra specs that a scale set may not have reach no command', { timeout }, async () => {
  const scaleSets = () => Promise.resolve([{ id: 'set-1', settings: { extraSpecs: { a: 1 } } }]);
  const provider = await bench.provider({ interfaceVersion: 'v0.1.1' }, { scaleSets });

  await provider.list(signal);
  await provider.delete(`set-1/${name}/i-1`, signal);

  for (const command of ['ListInstances', 'DeleteInstance']) {
    const { env } = await bench.calledWith(command);
    expect(Buffer.from(env.GARM_POOL_EXTRASPECS ?? '', 'base64').toString()).toBe('null');
  }
});

test('a service that creates nothing needs no bootstrap', async () => {
  const { definition } = bench;
  expect(definition.type).toBe('external');
  const janitor = await bench.provider({}, { bootstrap: () => undefined as never });

  await expect(janitor.create(aNamedRequest(), signal)).rejects.toMatchObject({ class: 'bug' });
});

test.each([
  [{ executable: '/no/such/provider' }, 'the executable /no/such/provider'],
  [{ executable: '/etc/passwd' }, 'must be an executable file'],
  [{ configFile: '/no/such/config' }, 'the configFile /no/such/config'],
  [{ caCertFile: '/etc/passwd' }, 'the caCertFile /etc/passwd'],
])('%o is refused at the start', async (part, problem) => {
  await expect(bench.provider(part)).rejects.toThrow(problem);
});
