import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { rulesFile, rulesTestFile } from '../../infra/alerts/read-rules.ts';

const run = promisify(execFile);
const promtool = async (...args: string[]) => (await run('promtool', args)).stdout;
const example = (name: string) =>
  fileURLToPath(new URL(`../../infra/prometheus/${name}`, import.meta.url));

test('promtool finds nothing wrong with the rules', async () => {
  expect(await promtool('check', 'rules', rulesFile)).toContain('SUCCESS');
});

test('each alert fires, and is silent while a wait is healthy', async () => {
  await promtool('test', 'rules', rulesTestFile);
}, 120_000);

test('what is wrong is refused', async () => {
  await expect(promtool('check', 'rules', example('prometheus.yaml'))).rejects.toThrow();
  await expect(promtool('test', 'rules', rulesFile)).rejects.toThrow();
});

test('promtool finds nothing wrong with the example of processes, and finds the rules', async () => {
  const said = await promtool('check', 'config', example('prometheus.yaml'));

  expect(said).toContain('1 rule files found');
  expect(said).not.toContain('FAILED');
});

describe('the example of pods', () => {
  const aPod = (component: string, changes: Record<string, string> = {}) => ({
    app_kubernetes_io_part_of: 'baton',
    app_kubernetes_io_component: component,
    port: 'health',
    phase: 'Running',
    ...changes,
  });

  test('takes the health ports of our pods that run, under the jobs that the rules name', async () => {
    const found = await discovered([
      aPod('listener'),
      aPod('provisioner'),
      aPod('janitor'),
      aPod('listener', { port: 'other' }),
      aPod('janitor', { phase: 'Succeeded' }),
      aPod('listener', { app_kubernetes_io_part_of: 'another' }),
    ]);

    expect(found).toEqual(['listener', 'provisioner', 'janitor', undefined, undefined, undefined]);
  });
});

const configSchema = z.looseObject({
  scrape_configs: z.tuple([z.looseObject({ kubernetes_sd_configs: z.array(z.unknown()) })]),
});
const discoveredSchema = z.array(
  z.object({
    discoveredLabels: z.record(z.string(), z.string()),
    labels: z.object({ job: z.string(), instance: z.string(), namespace: z.string() }).partial(),
  }),
);

/**
 * The service that the example takes each of these pods for; undefined where it takes it for none. Debian's
 * promtool cannot talk to Kubernetes: it is given what Kubernetes would say.
 */
async function discovered(
  pods: readonly Record<string, string>[],
): Promise<(string | undefined)[]> {
  const config = configSchema.parse(parse(await readFile(example('kubernetes.yaml'), 'utf8')));
  const { kubernetes_sd_configs: _, ...job } = config.scrape_configs[0];
  const targets = pods.map((pod, index) => ({
    targets: [`10.0.0.${index}:8080`],
    labels: metaOf(pod, `pod-${index}`),
  }));
  const dir = await mkdtemp(join(tmpdir(), 'baton-promtool-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = join(dir, 'prometheus.yaml');
  await writeFile(file, stringify({ scrape_configs: [{ ...job, static_configs: targets }] }));
  const said = await promtool('check', 'service-discovery', '--timeout=1s', file, 'baton-pods');
  const found = discoveredSchema.parse(JSON.parse(said));
  return pods.map((_pod, index) => {
    const one = found.find(({ discoveredLabels: of }) => of.__address__ === `10.0.0.${index}:8080`);
    if (one?.labels.job === undefined) return undefined;
    expect(one.labels).toMatchObject({ instance: `pod-${index}`, namespace: 'ci' });
    return one.labels.job.replace(/^baton-/, '');
  });
}

function metaOf({ port = '', phase = '', ...podLabels }: Record<string, string>, name: string) {
  const meta = '__meta_kubernetes_';
  return {
    [`${meta}namespace`]: 'ci',
    [`${meta}pod_name`]: name,
    [`${meta}pod_phase`]: phase,
    [`${meta}pod_container_port_name`]: port,
    ...Object.fromEntries(
      Object.entries(podLabels).map(([label, value]) => [`${meta}pod_label_${label}`, value]),
    ),
  };
}
