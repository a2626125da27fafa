import type { LocalStack, ServiceName } from '@baton/stack';
import { eventually } from '@baton/testkit';
import { expect, test } from 'vitest';
import { pageRows } from '../docs/metrics-page.ts';
import { simulator, startPolling } from './stack-fixture.ts';

const patient = { timeoutMs: 60_000, everyMs: 100 };
const rows = new Map(pageRows().map((row) => [row.name, row]));

/** A metric as a process shows it. */
interface Family {
  kind: string;
  help: string;
  /** The labels of each of its series. */
  series: string[][];
}

async function scrape(stack: LocalStack, service: ServiceName): Promise<Map<string, Family>> {
  const process = stack.services.find((one) => one.service === service);
  if (!process) throw new Error(`no ${service} runs`);
  const answer = await fetch(`http://127.0.0.1:${await process.healthPort}/metrics`);
  return familiesOf(await answer.text());
}

function familiesOf(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  for (const [, name = '', help = ''] of text.matchAll(/^# HELP (\S+) (.*)$/gm)) {
    const kind = new RegExp(`^# TYPE ${name} (\\w+)$`, 'm').exec(text)?.[1] ?? 'untyped';
    families.set(name, { kind, help, series: [] });
  }
  for (const [, name = '', labels = ''] of text.matchAll(/^([a-z_]+)(?:\{(.*)\})? \S+$/gm)) {
    const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
    family?.series.push([...labels.matchAll(/([a-z_]+)="/g)].map(([, label = '']) => label));
  }
  return families;
}

/** What a runner's way leaves behind. */
const parts = [
  ['listener', 'baton_message_to_event_seconds'],
  ['listener', 'baton_job_queue_seconds'],
  ['provisioner', 'baton_demand_to_requested_seconds'],
  ['provisioner', 'baton_requested_to_created_seconds'],
  ['provisioner', 'baton_created_to_online_seconds'],
  ['provisioner', 'baton_online_to_job_seconds'],
  ['provisioner', 'baton_job_seconds'],
  ['janitor', 'baton_completed_to_deleted_seconds'],
  ['janitor', 'baton_deleted_runners_total'],
] as const;

test('the way of a runner is measured, and every service shows what the page of metrics tells', async () => {
  await using stack = await startPolling();
  await simulator(stack).addJobs({ scaleSet: 'linux', count: 2, durationMs: 300 });

  await eventually(async () => {
    for (const [service, name] of parts) {
      const { series = [] } = (await scrape(stack, service)).get(name) ?? {};
      expect(series.length, name).toBeGreaterThan(0);
    }
  }, patient);
  const shown = await Promise.all(
    (['listener', 'provisioner', 'janitor'] as const).map((service) => scrape(stack, service)),
  );

  // Pushes are counted only where there is a collector.
  const names = new Set(shown.flatMap((families) => [...families.keys()]));
  const missing = [...rows.keys()].filter((name) => !names.has(name));
  expect(missing).toEqual(['baton_metric_exports_total']);
  for (const [name, { kind, help, series }] of shown.flatMap((families) => [...families])) {
    const row = rows.get(name);
    expect(row?.kind, name).toBe(kind);
    expect(help, name).toMatch(/\w/);
    const labels = new Set([...(row?.labels ?? []), ...(kind === 'histogram' ? ['le'] : [])]);
    expect(
      series.flat().filter((label) => !labels.has(label)),
      name,
    ).toEqual([]);
  }
});
