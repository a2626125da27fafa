import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openPlans, openSpecs } from '@baton/shared/stores';
import {
  aPlan,
  aSpec,
  eventually,
  freePort,
  startTestNats,
  startTestProcess,
  startTestSimulator,
} from '@baton/testkit';
import { expect, onTestFinished, test } from 'vitest';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
/** So long that the lease of a dead process does not run out before it is broken. */
const leaseTtlMs = 60_000;
const patient = { timeoutMs: 30_000 };

/** NATS, GitHub and the declared scale set `linux`; starts listeners that serve it. */
async function aWorld() {
  const undo = new AsyncDisposableStack();
  onTestFinished(() => undo.disposeAsync());
  const server = undo.use(await startTestNats({ leaseTtlMs }));
  const sim = undo.use(await startTestSimulator());
  const dir = await mkdtemp(join(tmpdir(), 'baton-takeover-'));
  undo.defer(() => rm(dir, { recursive: true }));
  const specs = await openSpecs(await server.connect('admin'));
  const plans = await openPlans(await server.connect('provisioner'));
  const updatedAt = new Date().toISOString();
  const spec = aSpec({ declaration: { configUrl: sim.configUrl }, updatedAt });
  await specs.put(spec.scaleSetId, spec);
  await plans.put(spec.scaleSetId, aPlan({ free: 10, freeAt: updatedAt }));
  const credentials = await sim.writeCredentials(dir);
  const listen = async (instance: string) => {
    const port = await freePort();
    const child = startTestProcess(main, {
      env: {
        ...server.variablesOf('listener'),
        BATON_CREDENTIALS_FILE: credentials,
        BATON_LEASE_TTL_MS: String(leaseTtlMs),
        BATON_HEALTH_HOST: '127.0.0.1',
        BATON_HEALTH_PORT: String(port),
        BATON_INSTANCE: instance,
      },
    });
    undo.use(child);
    const scrape = async () => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return { child, scrape };
  };
  return { control: sim.control, listen };
}

/** A value as Prometheus is shown it; NaN when it is not there. */
function shown(text: string, name: string): number {
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length) ?? Number.NaN);
}

test('a listener that was killed is a takeover and a gap on the metrics of the next', async () => {
  const { control, listen } = await aWorld();
  const first = await listen('listener-0');
  await eventually(async () => expect((await control.state()).pollsHeld).toBe(1), patient);
  const second = await listen('listener-1');
  await eventually(async () => expect(await second.scrape()).toContain('state="waiting"'), patient);

  first.child.signal('SIGKILL');

  await eventually(async () => {
    const text = await second.scrape();
    expect(shown(text, 'baton_lease_takeover_seconds_count{how="broken"}')).toBe(1);
    expect(shown(text, 'baton_session_gap_seconds_count')).toBe(1);
  }, patient);
  const text = await second.scrape();
  // Its death is proved by two silences, half a second apart, of which the first one counts.
  const takeover = shown(text, 'baton_lease_takeover_seconds_sum{how="broken"}');
  expect(takeover).toBeGreaterThan(0.4);
  const gap = shown(text, 'baton_session_gap_seconds_sum');
  expect(gap).toBeGreaterThanOrEqual(takeover);
  // Nobody had to wait for the lease to run out.
  expect(gap).toBeLessThan(leaseTtlMs / 1_000);
  expect(shown(text, 'baton_lease_renewals_total{outcome="confirmed"}')).toBeGreaterThan(0);
  expect(text).toContain('baton_github_requests_total{operation="refreshSession",outcome="ok"} 1');
}, 120_000);
